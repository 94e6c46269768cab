/** Queries for schedules: the visibility language, in which `ScheduleId` is a schedule's id. */
import type { RegisteredAttributes } from '../core/search-attribute-type.ts';
import type { Filter } from '../store/store.ts';
import { parseVisibilityQuery } from './visibility-query.ts';

const open: Filter = { op: '=', field: { system: 'status' }, value: 'running' };

/** A schedule that was deleted a moment ago is not there any more. */
export function scheduleFilter(
  query: string,
  registered: RegisteredAttributes,
): {
  readonly filter: Filter;
  readonly groupBy: boolean;
} {
  const { filter, groupBy } = parseVisibilityQuery(query, registered);
  return { filter: filter ? { op: 'and', terms: [open, filter] } : open, groupBy };
}
