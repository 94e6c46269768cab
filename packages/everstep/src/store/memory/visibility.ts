/** Lists walk the runs from the latest start; counts of everything are kept, others walk. */
import type { MemoryData, MemoryRun } from './memory-data.ts';
import type {
  Filter,
  FilterComparison,
  FilterField,
  FilterValue,
  ListedRun,
  RunRef,
  RunStatusColumn,
  SearchValue,
  Store,
} from '../store.ts';

export function memoryVisibility(data: MemoryData): Store['visibility'] {
  return {
    list: async ({ namespaceId, filter, limit, after }) => {
      const namespace = data.runsOf.get(namespaceId);
      const page: ListedRun[] = [];
      if (namespace === undefined) return page;
      let at =
        after === undefined
          ? namespace.byStart.length
          : data.startIndex(namespace, after.startTime, after.ref);
      while (page.length < limit && at > 0) {
        at -= 1;
        const run = data.runs.get(namespace.byStart[at] as RunRef);
        if (run === undefined) continue;
        if (filter !== undefined && matches(filter, run) !== true) continue;
        page.push({ ref: run.ref, key: run.key, columns: run.columns });
      }
      return page;
    },
    count: async ({ namespaceId, filter, groupByStatus }) => {
      const namespace = data.runsOf.get(namespaceId);
      let counts = new Map<RunStatusColumn, number>(namespace?.counts);
      if (filter !== undefined) {
        counts = new Map();
        for (const ref of namespace?.byStart ?? []) {
          const run = data.runs.get(ref);
          if (run === undefined || matches(filter, run) !== true) continue;
          counts.set(run.columns.status, (counts.get(run.columns.status) ?? 0) + 1);
        }
      }
      const groups = [...counts]
        .filter(([, count]) => count > 0)
        .map(([status, count]) => ({ status, count }))
        .sort((a, b) => (a.status < b.status ? -1 : 1));
      const count = groups.reduce((sum, group) => sum + group.count, 0);
      return { count, groups: groupByStatus ? groups : [] };
    },
  };
}

/** As SQL has it: undefined when the run lacks what is asked for, and neither that nor its NOT lets it in. */
function matches(filter: Filter, run: MemoryRun): boolean | undefined {
  switch (filter.op) {
    case 'and':
    case 'or': {
      const decisive = filter.op === 'or';
      let result: boolean | undefined = !decisive;
      for (const term of filter.terms) {
        const one = matches(term, run);
        if (one === decisive) return decisive;
        if (one === undefined) result = undefined;
      }
      return result;
    }
    case 'not': {
      const inner = matches(filter.term, run);
      return inner === undefined ? undefined : !inner;
    }
    case 'isNull':
      return valueOf(filter.field, run) === undefined;
    case 'in': {
      const terms = filter.values.map((value) => ({
        op: '=' as const,
        field: filter.field,
        value,
      }));
      return matches({ op: 'or', terms }, run);
    }
    case '=':
    case '!=':
    case '<':
    case '>':
    case '<=':
    case '>=':
    case 'startsWith':
      return compare(filter.op, valueOf(filter.field, run), filter.value);
  }
}

function compare(
  op: FilterComparison,
  found: SearchValue | undefined,
  value: FilterValue,
): boolean | undefined {
  if (found === undefined) return undefined;
  if (typeof found === 'object') {
    if (typeof value !== 'string') return undefined;
    if (op === '=') return found.includes(value);
    return op === '!=' ? !found.includes(value) : undefined;
  }
  if (typeof found !== typeof value) return undefined;
  if (op === 'startsWith') {
    return typeof found === 'string' ? found.startsWith(value as string) : undefined;
  }
  const order =
    typeof found === 'string'
      ? Buffer.compare(Buffer.from(found), Buffer.from(value as string))
      : Number(found) - Number(value);
  switch (op) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '>':
      return order > 0;
    case '<=':
      return order <= 0;
    case '>=':
      return order >= 0;
  }
}

function valueOf(field: FilterField, run: MemoryRun): SearchValue | undefined {
  const { columns, key } = run;
  if ('custom' in field) {
    const values = columns.searchValues;
    return values !== undefined && Object.hasOwn(values, field.custom)
      ? values[field.custom]
      : undefined;
  }
  switch (field.system) {
    case 'workflowId':
      return key.workflowId;
    case 'runId':
      return key.runId;
    case 'closeTime':
      return columns.closeTime === 0 ? undefined : columns.closeTime;
    case 'executionDuration':
      return columns.closeTime === 0 ? undefined : columns.closeTime - columns.executionTime;
    case 'parentWorkflowId':
    case 'parentRunId':
      return columns[field.system] === '' ? undefined : columns[field.system];
    case 'workflowType':
    case 'status':
    case 'startTime':
    case 'executionTime':
    case 'taskQueue':
    case 'historyEvents':
    case 'historyBytes':
    case 'rootWorkflowId':
    case 'rootRunId':
      return columns[field.system];
  }
}
