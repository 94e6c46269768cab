/**
 * Batch operations by their job ids. One is a run of its own kind, kept beside the workflows in a namespace id that no
 * request can name, as schedules are.
 */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { operationMemo } from '../core/batch/batch.ts';
import type { BatchOperation, BatchState } from '../core/batch/batch-state.ts';
import type { RunState } from '../core/state.ts';
import type { Filter, ListedRun, RunStatusColumn } from '../store/store.ts';
import type { EngineContext } from './context.ts';
import type { Namespace } from './namespaces.ts';
import { openRuns } from './run-filter.ts';
import type { LiveRun } from './unit.ts';
import { freshRunOf, invalid } from './verbs/request-run.ts';
import { parseVisibilityQuery } from './visibility-query.ts';

const { BatchOperationState, BatchOperationType } = proto.temporal.api.enums.v1;
const { Memo } = proto.temporal.api.common.v1;

export function batchesNamespaceId(namespaceId: string): string {
  return `${namespaceId}/batches`;
}

export async function batchOf(
  context: EngineContext,
  { namespaceId }: Namespace,
  jobId: string | null | undefined,
): Promise<{ readonly run: LiveRun; readonly state: RunState; readonly batch: BatchState }> {
  if (!jobId) throw invalid('JobId is not set on request.');
  const run = await freshRunOf(context, batchesNamespaceId(namespaceId), { workflowId: jobId });
  const state = run.state as RunState;
  return { run, state, batch: state.batch as BatchState };
}

const types: Readonly<Record<BatchOperation, temporal.api.enums.v1.BatchOperationType>> = {
  terminate: BatchOperationType.BATCH_OPERATION_TYPE_TERMINATE,
  cancel: BatchOperationType.BATCH_OPERATION_TYPE_CANCEL,
  signal: BatchOperationType.BATCH_OPERATION_TYPE_SIGNAL,
  delete: BatchOperationType.BATCH_OPERATION_TYPE_DELETE,
  reset: BatchOperationType.BATCH_OPERATION_TYPE_RESET,
  unpauseActivities: BatchOperationType.BATCH_OPERATION_TYPE_UNPAUSE_ACTIVITY,
  resetActivities: BatchOperationType.BATCH_OPERATION_TYPE_RESET_ACTIVITY,
  updateActivityOptions: BatchOperationType.BATCH_OPERATION_TYPE_UPDATE_ACTIVITY_OPTIONS,
  updateOptions: BatchOperationType.BATCH_OPERATION_TYPE_UPDATE_EXECUTION_OPTIONS,
};

export function batchTypeOf(operation: BatchOperation): temporal.api.enums.v1.BatchOperationType {
  return types[operation];
}

/** From a list, which has its columns only. */
export function listedTypeOf({ columns }: ListedRun): temporal.api.enums.v1.BatchOperationType {
  const data = columns.memo && Memo.decode(columns.memo).fields[operationMemo]?.data;
  const name: unknown = data ? JSON.parse(new TextDecoder().decode(data)) : undefined;
  const operation = (Object.keys(types) as BatchOperation[]).find((known) => known === name);
  return operation ? types[operation] : BatchOperationType.BATCH_OPERATION_TYPE_UNSPECIFIED;
}

/** One that was stopped has failed. */
export function batchStateOf(status: RunStatusColumn): temporal.api.enums.v1.BatchOperationState {
  if (status === 'running') return BatchOperationState.BATCH_OPERATION_STATE_RUNNING;
  return status === 'completed'
    ? BatchOperationState.BATCH_OPERATION_STATE_COMPLETED
    : BatchOperationState.BATCH_OPERATION_STATE_FAILED;
}

/** Of no use to a run that has ended. */
const forOpenRuns: ReadonlySet<BatchOperation> = new Set([
  'terminate',
  'cancel',
  'signal',
  'unpauseActivities',
  'updateOptions',
]);

/**
 * The runs that a query means: only those that are open where others have no use for it. Unpausing activities of a
 * type asks only for runs where one is paused.
 */
export function batchFilter(
  { config }: Pick<Namespace, 'config'>,
  { request, operation }: Pick<BatchState, 'request' | 'operation'>,
): Filter | undefined {
  const { visibilityQuery, unpauseActivitiesOperation } = request;
  const { filter, groupBy } = parseVisibilityQuery(visibilityQuery ?? '', config.searchAttributes);
  if (groupBy) throw invalid('GROUP BY clause is only supported in count queries.');
  const type = unpauseActivitiesOperation?.type;
  const terms: Filter[] = [
    ...(filter ? [filter] : []),
    ...(forOpenRuns.has(operation) ? [openRuns] : []),
    ...(type ? [pausedOfType(type)] : []),
  ];
  return terms.length > 1 ? { op: 'and', terms } : terms[0];
}

function pausedOfType(type: string): Filter {
  return {
    op: '=',
    field: { custom: 'TemporalPauseInfo' },
    value: `property:activityType=${type}`,
  };
}
