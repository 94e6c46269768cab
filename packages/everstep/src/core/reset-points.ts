/** MS-5: where each build of the worker first completed a workflow task, so that a run can be reset to before it. */
import type { Draft } from './draft.ts';
import type { HistoryEvent } from './proto.ts';
import { msOfTimestamp, numberOf } from './time.ts';

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
