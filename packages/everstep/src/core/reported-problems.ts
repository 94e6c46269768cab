/** WT-32: a run whose workflow task fails again and again says so in a search attribute. */
import type { Draft } from './draft.ts';
import type { Payload } from './proto.ts';

const attribute = 'TemporalReportedProblems';
const text = new TextEncoder();
const metadata = { encoding: text.encode('json/plain'), type: text.encode('KeywordList') };

/** After a failure: `category` and `cause` as Temporal spells them. No event is written. */
export function reportProblem(draft: Draft, category: string, cause: string): void {
  if (draft.state.workflowTaskProblems < draft.env.limits.workflowTaskProblemsReported) return;
  const values = [`category=${category}`, `cause=${cause}`];
  const payload: Payload = { metadata, data: text.encode(JSON.stringify(values)) };
  const fields = draft.state.searchAttributes?.indexedFields;
  draft.state.searchAttributes = { indexedFields: { ...fields, [attribute]: payload } };
  draft.touch();
}

export function clearReportedProblems(draft: Draft): void {
  const fields = draft.state.searchAttributes?.indexedFields;
  if (!fields || !(attribute in fields)) return;
  const { [attribute]: _gone, ...rest } = fields;
  draft.state.searchAttributes = { indexedFields: rest };
}
