/** What is paused of a run, as lists find it: the search attribute TemporalPauseInfo. No event tells of it. */
import type { Draft } from './draft.ts';
import type { Payload } from './proto.ts';

const attribute = 'TemporalPauseInfo';
const text = new TextEncoder();
const metadata = { encoding: text.encode('json/plain'), type: text.encode('KeywordList') };

export function reportPauses(draft: Draft): void {
  const { state } = draft;
  const entries: string[] = [];
  if (state.pause) {
    entries.push(`Workflow:${state.workflowId}`);
    if (state.pause.reason !== '') entries.push(`Reason:${state.pause.reason}`);
  }
  const types = new Set<string>();
  for (const activity of state.activities.values()) {
    if (activity.paused) types.add(activity.activityType);
  }
  for (const type of types) entries.push(`property:activityType=${type}`);
  const fields = state.searchAttributes?.indexedFields;
  if (entries.length > 0) {
    const payload: Payload = { metadata, data: text.encode(JSON.stringify(entries)) };
    state.searchAttributes = { indexedFields: { ...fields, [attribute]: payload } };
  } else if (fields && Object.hasOwn(fields, attribute)) {
    const { [attribute]: _gone, ...rest } = fields;
    state.searchAttributes = { indexedFields: rest };
  }
}
