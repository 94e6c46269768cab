/**
 * A query of a run that has no workflow task under way (QY-3): a worker of this process, a poll of this process, or
 * a worker of another process on the store, in that order; else it waits for one of them until its deadline.
 */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { longOf } from '../core/time.ts';
import type { LocalWorker, WorkflowTask } from '../service/local-worker.ts';
import { ServiceError } from '../service/service-error.ts';
import type { EngineContext } from './context.ts';
import type { LiveRun } from './unit.ts';
import { queueKey } from './matching.ts';
import { encodeMail } from './mail.ts';
import type { QueryResponse, WorkflowQuery } from './query-board.ts';
import { queryResponseOf } from './remote-queries.ts';
import type { QueryAnswer } from './remote-queries.ts';

const { QueryResultType } = proto.temporal.api.enums.v1;
const encoder = new TextEncoder();
/** How often a query looks for a worker that may have come. */
const lookAgainMs = 100;
/** A worker that has not answered by then may be gone: another is asked. */
const answerMs = 10_000;

export async function dispatchQuery(
  context: EngineContext,
  run: LiveRun,
  query: WorkflowQuery,
  signal: AbortSignal,
): Promise<QueryResponse> {
  while (!signal.aborted) {
    const answer = await offer(context, run, query, signal);
    if (answer) return queryResponseOf(answer);
    await new Promise<void>((resolve) => {
      context.clock.setTimer(lookAgainMs, resolve);
    });
  }
  throw new ServiceError({
    code: 'DEADLINE_EXCEEDED',
    message: `query of workflow ${run.key.workflowId} timed out: no worker of its task queue answered in time`,
  });
}

/** Queries that waited for a workflow task which ended without them; none is pending now. */
export function dispatchWaitingQueries(context: EngineContext, run: LiveRun): void {
  const { queries } = context;
  const state = run.latest;
  if (!state || state.workflowTask || !queries.has(run.key.runId)) return;
  if (state.lastCompletedStartedEventId === 0 && state.closeTime === 0) return;
  for (const waiting of queries.takeAll(run.key.runId)) {
    if (state.lastCompletedStartedEventId === 0) waiting.reject(closedTooEarly());
    else {
      dispatchQuery(context, run, waiting.query, waiting.signal).then(
        waiting.resolve,
        waiting.reject,
      );
    }
  }
}

/** QY-2. */
export function closedTooEarly(): ServiceError {
  return new ServiceError({
    code: 'FAILED_PRECONDITION',
    message: 'Cannot query workflow: it closed before its first workflow task completed.',
    detail: { kind: 'workflowNotReady' },
  });
}

/** Undefined when nobody is there to ask, or nobody answered. */
async function offer(
  context: EngineContext,
  run: LiveRun,
  query: WorkflowQuery,
  signal: AbortSignal,
): Promise<QueryAnswer | undefined> {
  const here = await offerHere(context, run, query, signal);
  const state = run.latest;
  if (here || !state) return here;
  const queues = state.sticky ? [state.sticky.taskQueue, state.taskQueue] : [state.taskQueue];
  const keys = queues.map((queue) => queueKey(state.namespaceId, 'workflow', queue));
  const { others } = context.processes;
  const at = keys.find((key) => others.some((process) => process.queues.includes(key)));
  const other = at === undefined ? at : others.find((process) => process.queues.includes(at));
  if (!other) return undefined;
  const letter = context.remoteQueries.ask(run.key, query);
  await context.store.mail.send({
    mail: [{ processId: other.processId, bytes: encodeMail(letter.mail) }],
  });
  context.store.hints.ring();
  return answerOf(context, letter, signal, answerMs);
}

/** By a worker or a poll of this process. */
export async function offerHere(
  context: EngineContext,
  run: LiveRun,
  query: WorkflowQuery,
  signal: AbortSignal,
): Promise<QueryAnswer | undefined> {
  const state = run.latest;
  if (!state) return undefined;
  const local = context.handOver.workers.find(
    (worker) =>
      worker.namespace === state.namespace && worker.workflowTaskQueues.includes(state.taskQueue),
  );
  if (local) return askLocalWorker(context, local, run, query);
  if (state.sticky) {
    // Whoever polls it holds the run up to the last workflow task, and is told nothing beyond it.
    const ms = Math.min(state.sticky.scheduleToStartMs || answerMs, answerMs);
    const until = state.nextEventId;
    const answer = await askPoll(context, run, query, signal, state.sticky.taskQueue, until, ms);
    if (answer || signal.aborted) return answer;
  }
  return askPoll(context, run, query, signal, state.taskQueue, 1, answerMs);
}

/** A poll that waits on that queue, whose worker is sent the events from that one on. */
async function askPoll(
  context: EngineContext,
  run: LiveRun,
  query: WorkflowQuery,
  signal: AbortSignal,
  taskQueue: string,
  fromEventId: number,
  ms: number,
): Promise<QueryAnswer | undefined> {
  const { namespaceId } = run.key;
  if (!context.matching.isPolled(namespaceId, 'workflow', taskQueue)) return undefined;
  const poll = context.remoteQueries.expect();
  const token = encoder.encode(`query:${poll.queryId}`);
  const message = await queryMessage(context, run, query, fromEventId, token);
  const task = { queryId: poll.queryId, run, message };
  if (context.matching.offerQuery(namespaceId, taskQueue, task)) {
    return answerOf(context, poll, signal, ms);
  }
  poll.forget();
  return undefined;
}

/** Drives the run's live code, or its history, to answer. Writes nothing (QY-5). */
async function askLocalWorker(
  context: EngineContext,
  worker: LocalWorker,
  run: LiveRun,
  query: WorkflowQuery,
): Promise<QueryAnswer> {
  const held = worker.heldUpTo(run.key.runId);
  const state = run.latest;
  const seen = held !== undefined && held === state?.lastCompletedStartedEventId;
  const from = seen ? (state?.nextEventId ?? 1) : 1;
  const outcome = await worker.driveWorkflowTask(
    await queryMessage(context, run, query, from, new Uint8Array()),
  );
  if (outcome.kind === 'queryCompleted') return outcome.request;
  const message = outcome.kind === 'failed' ? outcome.request.failure?.message : undefined;
  return {
    completedType: QueryResultType.QUERY_RESULT_TYPE_FAILED,
    errorMessage: message ?? 'the worker did not answer the query',
  };
}

async function queryMessage(
  context: EngineContext,
  run: LiveRun,
  query: WorkflowQuery,
  fromEventId: number,
  taskToken: Uint8Array,
): Promise<WorkflowTask> {
  const state = run.latest;
  const until = state?.nextEventId ?? 1;
  const history = await context.history.message(run, fromEventId, until);
  return {
    taskToken,
    workflowExecution: { workflowId: run.key.workflowId, runId: run.key.runId },
    workflowType: { name: state?.workflowType ?? '' },
    previousStartedEventId: longOf(state?.lastCompletedStartedEventId ?? 0),
    attempt: 1,
    history,
    query: query as temporal.api.query.v1.IWorkflowQuery,
    workflowExecutionTaskQueue: { name: state?.taskQueue ?? '', kind: 1 },
    queries: {},
    messages: [],
  };
}

function answerOf(
  context: EngineContext,
  waiting: { readonly answer: Promise<QueryAnswer>; forget(): void },
  signal: AbortSignal,
  ms: number,
): Promise<QueryAnswer | undefined> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      waiting.forget();
      resolve(undefined);
    };
    const timer = context.clock.setTimer(ms, giveUp);
    signal.addEventListener('abort', giveUp);
    waiting.answer.then((answer) => {
      timer.cancel();
      signal.removeEventListener('abort', giveUp);
      resolve(answer);
    }, reject);
  });
}
