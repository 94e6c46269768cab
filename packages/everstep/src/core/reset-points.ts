/** MS-5: where each build of the worker first completed a workflow task, so that a run can be reset to before it. */
import type { Draft } from './draft.ts';
import type { HistoryEvent, Payload } from './proto.ts';
import { msOfTimestamp, numberOf } from './time.ts';

const attribute = 'BuildIds';
const text = new TextEncoder();
const utf8 = new TextDecoder();
const metadata = { encoding: text.encode('json/plain'), type: text.encode('KeywordList') };

export function addResetPoint(draft: Draft, event: HistoryEvent): void {
  const { state, env } = draft;
  const attributes = event.workflowTaskCompletedEventAttributes;
  const binaryChecksum = attributes?.binaryChecksum ?? '';
  const buildId =
    attributes?.workerVersion?.buildId ?? attributes?.deploymentVersion?.buildId ?? '';
  if (buildId === '' && binaryChecksum === '') return;
  const known = state.resetPoints.some(
    (point) => point.buildId === buildId && point.binaryChecksum === binaryChecksum,
  );
  if (known) return;
  if (buildId !== '') addBuildId(draft, buildId);
  const point = {
    buildId,
    binaryChecksum,
    runId: state.runId,
    firstWorkflowTaskCompletedId: numberOf(event.eventId),
    createTime: msOfTimestamp(event.eventTime),
    resettable: true,
  };
  state.resetPoints = [...state.resetPoints, point].slice(-env.limits.resetPointsMax);
}

/** As Temporal lists the builds that a run without versioning has met. No event is written. */
function addBuildId(draft: Draft, buildId: string): void {
  const fields = draft.state.searchAttributes?.indexedFields;
  const known = fields?.[attribute]?.data;
  const before = known ? (JSON.parse(utf8.decode(known)) as string[]) : ['unversioned'];
  const value = `unversioned:${buildId}`;
  if (before.includes(value)) return;
  const payload: Payload = { metadata, data: text.encode(JSON.stringify([...before, value])) };
  draft.state.searchAttributes = { indexedFields: { ...fields, [attribute]: payload } };
}
