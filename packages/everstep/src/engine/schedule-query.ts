/** Queries for schedules: the visibility language, in which `ScheduleId` is a schedule's id. */
import type { Filter } from '../store/store.ts';
import { parseVisibilityQuery } from './visibility-query.ts';

const open: Filter = { op: '=', field: { system: 'status' }, value: 'running' };

/** A schedule that was deleted a moment ago is not there any more. */
export function scheduleFilter(query: string): {
  readonly filter: Filter;
  readonly groupBy: boolean;
} {
  const { filter, groupBy } = parseVisibilityQuery(query);
  return { filter: filter ? { op: 'and', terms: [open, named(filter)] } : open, groupBy };
}

function named(filter: Filter): Filter {
  switch (filter.op) {
    case 'and':
    case 'or':
      return { op: filter.op, terms: filter.terms.map(named) };
    case 'not':
      return { op: 'not', term: named(filter.term) };
    default:
      return 'custom' in filter.field && filter.field.custom === 'ScheduleId'
        ? { ...filter, field: { system: 'workflowId' } }
        : filter;
  }
}
