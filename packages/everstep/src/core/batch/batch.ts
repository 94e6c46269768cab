/**
 * What happens to a batch operation. Like a schedule it is a run without events: its whole life is the `batch` field of
 * its state, so that commits, wake-ups, the outbox and the death of a process are those of any run.
 *
 * It goes in steps, one at a time: a step lists runs, or does the operation to some of those that are listed. Each
 * step is a message in the outbox, and what it came to is an input. A step that is delivered twice counts once; what
 * it does to a run is known by a request id made of the batch and the run (batch-delivery.ts).
 */
import { accept, accepted, alreadyCompleted } from '../answer.ts';
import type { CoreEnv, Mutable, Draft } from '../draft.ts';
import type { Answer, InputOf } from '../input.ts';
import type { Memo, Payload } from '../proto.ts';
import { settle } from '../settle.ts';
import { isOpen } from '../state.ts';
import { systemRunDraft } from '../system-run.ts';
import type { Transition } from '../transition-result.ts';
import type { BatchState, BatchTarget, BatchOperation, WireBatch } from './batch-state.ts';

/** Temporal's name for what a batch runs as. */
const batchType = 'temporal-sys-batch-workflow-protobuf';
/** As often as Temporal's: then a run counts as failed. */
const attemptsMax = 50;

type Batch = Mutable<BatchState>;

export interface CreateBatchArgs {
  /** Of the batch itself, see engine/batches.ts. */
  readonly namespaceId: string;
  readonly namespace: string;
  readonly workflowsNamespaceId: string;
  readonly jobId: string;
  readonly runId: string;
  readonly request: WireBatch;
  readonly operation: BatchOperation;
  readonly identity: string;
  /** Those that the request names; a query's are listed step by step. */
  readonly targets: readonly BatchTarget[];
  readonly total: number;
}

export function createBatch(args: CreateBatchArgs, env: CoreEnv): Transition<undefined> {
  const { namespaceId, namespace, runId, jobId, operation, identity } = args;
  const draft = systemRunDraft(
    {
      namespaceId,
      namespace,
      workflowId: jobId,
      runId,
      createRequestId: runId,
      workflowType: batchType,
    },
    env,
  );
  const { state } = draft;
  state.memo = memoOf(operation);
  state.searchAttributes = { indexedFields: { BatcherUser: payloadOf('Keyword', identity) } };
  go(draft, {
    namespaceId: args.workflowsNamespaceId,
    request: args.request,
    operation,
    identity,
    step: 0,
    stepping: false,
    wakeAt: 0,
    total: args.total,
    completed: 0,
    failed: 0,
    listed: !args.request.visibilityQuery,
    cursor: undefined,
    pending: args.targets,
  });
  return settle(draft, accept(undefined));
}

export function batchListed(draft: Draft, input: InputOf<'batchListed'>): Answer<undefined> {
  return change(draft, input.step, (batch) => {
    batch.pending = input.targets;
    batch.cursor = input.cursor;
    batch.listed = input.listed;
    const known = batch.completed + batch.failed + input.targets.length;
    batch.total = batch.listed ? known : Math.max(batch.total, known);
  });
}

export function batchStepped(draft: Draft, input: InputOf<'batchStepped'>): Answer<undefined> {
  return change(draft, input.step, (batch) => {
    const { outcomes } = input;
    const again: BatchTarget[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      const target = batch.pending[index];
      if (!target) break;
      const attempts = target.attempts + 1;
      if (outcome === 'completed') batch.completed += 1;
      else if (outcome === 'again' && attempts < attemptsMax) again.push({ ...target, attempts });
      else batch.failed += 1;
    }
    batch.pending = [...batch.pending.slice(outcomes.length), ...again];
    batch.wakeAt = input.nextStepAt;
  });
}

export function wakeBatch(draft: Draft): void {
  const { batch } = draft.state;
  if (batch && !batch.stepping) go(draft, { ...batch });
}

/** What is done stays done; the step that is under way may still finish. */
export function stopBatch(draft: Draft): Answer<undefined> {
  const { state } = draft;
  if (!state.batch || !isOpen(state)) return alreadyCompleted();
  end(draft, 'terminated');
  return accepted;
}

function change(draft: Draft, step: number, what: (batch: Batch) => void): Answer<undefined> {
  const { batch } = draft.state;
  if (!batch || !isOpen(draft.state)) return alreadyCompleted();
  if (!batch.stepping || batch.step !== step) return accepted;
  const next: Batch = { ...batch, stepping: false, wakeAt: 0 };
  what(next);
  go(draft, next);
  return accepted;
}

/** The next step, now or when its time comes, or the end. */
function go(draft: Draft, batch: Batch): void {
  draft.state.batch = batch;
  draft.touch();
  if (batch.listed && batch.pending.length === 0) {
    end(draft, 'completed');
  } else if (batch.wakeAt <= draft.now) {
    batch.step += 1;
    batch.stepping = true;
    batch.wakeAt = 0;
    draft.outbox.push({ kind: 'stepBatch', step: batch.step });
  }
}

function end(draft: Draft, status: 'completed' | 'terminated'): void {
  draft.state.status = status;
  draft.state.closeTime = draft.now;
  draft.touch();
}

/** What lists show of it, under the name that Temporal gives it. */
export const operationMemo = 'batch_operation_type';

function memoOf(operation: BatchOperation): Memo {
  return { fields: { [operationMemo]: payloadOf(undefined, operation) } };
}

const encoder = new TextEncoder();

function payloadOf(type: string | undefined, value: string): Payload {
  return {
    metadata: {
      encoding: encoder.encode('json/plain'),
      ...(type !== undefined && { type: encoder.encode(type) }),
    },
    data: encoder.encode(JSON.stringify(value)),
  };
}
