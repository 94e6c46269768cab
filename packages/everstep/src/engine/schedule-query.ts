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

/**
 * The rest of a query that begins as Temporal's UI counts schedules, `TemporalNamespaceDivision = 'TemporalScheduler'`;
 * undefined for any other.
 */
export function withoutSchedulesDivision(filter: Filter | undefined): Filter | undefined {
  if (filter?.op === 'and') {
    const terms = filter.terms.filter((term) => !isSchedulesDivision(term));
    return terms.length < filter.terms.length ? { op: 'and', terms } : undefined;
  }
  return filter && isSchedulesDivision(filter) ? { op: 'and', terms: [] } : undefined;
}

function isSchedulesDivision(term: Filter): boolean {
  return (
    term.op === '=' &&
    'custom' in term.field &&
    term.field.custom === 'TemporalNamespaceDivision' &&
    term.value === 'TemporalScheduler'
  );
}
