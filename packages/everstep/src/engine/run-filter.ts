/** The filters of the lists that came before queries: by state, time, and one of id, type or status. */
import type { temporal } from '@temporalio/proto';
import { msOfTimestamp } from '../core/time.ts';
import type { Filter, RunStatusColumn } from '../store/store.ts';
import { statusToWire } from './run-info.ts';
import { invalid } from './verbs/request-run.ts';

type TimeFilter = temporal.api.filter.v1.IStartTimeFilter | null | undefined;

export type TimeColumn = 'startTime' | 'closeTime';

export const openRuns: Filter = {
  op: 'in',
  field: { system: 'status' },
  values: ['created', 'running', 'paused'] satisfies RunStatusColumn[],
};

export const closedRuns: Filter = { op: 'not', term: openRuns };

/** Both ends are within. A bound that is not given does not bound. */
export function timeWithin(column: TimeColumn, time: TimeFilter): readonly Filter[] {
  const { earliestTime, latestTime } = time ?? {};
  const earliest = earliestTime ? msOfTimestamp(earliestTime) : -Infinity;
  const latest = latestTime ? msOfTimestamp(latestTime) : Infinity;
  if (earliest > latest) {
    throw invalid('EarliestTime in StartTimeFilter should not be larger than LatestTime.');
  }
  const field = { system: column } as const;
  return [
    ...(earliestTime ? [{ op: '>=', field, value: earliest } as const] : []),
    ...(latestTime ? [{ op: '<=', field, value: latest } as const] : []),
  ];
}

/** As Temporal's server: the run id is not looked at, and the first of them counts. */
export function ofOne(filters: {
  readonly executionFilter?: temporal.api.filter.v1.IWorkflowExecutionFilter | null | undefined;
  readonly typeFilter?: temporal.api.filter.v1.IWorkflowTypeFilter | null | undefined;
  readonly statusFilter?: temporal.api.filter.v1.IStatusFilter | null | undefined;
}): readonly Filter[] {
  const { executionFilter, typeFilter, statusFilter } = filters;
  if (executionFilter) {
    const value = executionFilter.workflowId ?? '';
    return [{ op: '=', field: { system: 'workflowId' }, value }];
  }
  if (typeFilter) {
    return [{ op: '=', field: { system: 'workflowType' }, value: typeFilter.name ?? '' }];
  }
  return statusFilter ? [ofStatus(statusFilter)] : [];
}

function ofStatus({ status = 0 }: temporal.api.filter.v1.IStatusFilter): Filter {
  if (!status || status === statusToWire.running) {
    throw invalid('StatusFilter must be specified and must be not Running.');
  }
  const values = Object.entries(statusToWire)
    .filter(([, wire]) => wire === status)
    .map(([name]) => name);
  return { op: 'in', field: { system: 'status' }, values };
}
