/**
 * A query of a run that has no workflow task under way (QY-3): a worker of this process, a poll of this process, or
 * a worker of another process on the store, in that order; else it waits for one of them until its deadline.
 */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { longOf } from '../core/time.ts';
import type { HistoryEvent } from '../core/proto.ts';
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

/** Undefined when nobody is there to ask. */
async function offer(
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
  const poll = context.remoteQueries.expect();
  const message = await queryMessage(
    context,
    run,
    query,
    undefined,
    encoder.encode(`query:${poll.queryId}`),
  );
  const task = { queryId: poll.queryId, run, message };
  const queues = state.sticky ? [state.sticky.taskQueue, state.taskQueue] : [state.taskQueue];
  for (const queue of queues) {
    if (context.matching.offerQuery(state.namespaceId, queue, task)) {
      return answerOrAbort(poll, signal);
    }
  }
  poll.forget();
  const key = queueKey(state.namespaceId, 'workflow', state.taskQueue);
  const other = context.processes.others.find((process) => process.queues.includes(key));
  if (!other) return undefined;
  const letter = context.remoteQueries.ask(run.key, query);
  await context.store.mail.send({
    mail: [{ processId: other.processId, bytes: encodeMail(letter.mail) }],
  });
  context.store.hints.ring();
  return answerOrAbort(letter, signal);
}

/** Drives the run's live code, or its history, to answer. Writes nothing (QY-5). */
export async function askLocalWorker(
  context: EngineContext,
  worker: LocalWorker,
  run: LiveRun,
  query: WorkflowQuery,
): Promise<QueryAnswer> {
  const held = worker.heldUpTo(run.key.runId);
  const state = run.latest;
  const seen = held !== undefined && held === state?.lastCompletedStartedEventId ? held : undefined;
  const outcome = await worker.driveWorkflowTask(
    await queryMessage(context, run, query, seen, new Uint8Array()),
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
  heldUpTo: number | undefined,
  taskToken: Uint8Array,
): Promise<WorkflowTask> {
  const state = run.latest;
  const events: HistoryEvent[] =
    heldUpTo === undefined || !state
      ? await context.history.read(run, 1, state?.nextEventId ?? 1)
      : [];
  return {
    taskToken,
    workflowExecution: { workflowId: run.key.workflowId, runId: run.key.runId },
    workflowType: { name: state?.workflowType ?? '' },
    previousStartedEventId: longOf(state?.lastCompletedStartedEventId ?? 0),
    startedEventId: longOf(state?.lastCompletedStartedEventId ?? 0),
    attempt: 1,
    history: { events },
    query: query as temporal.api.query.v1.IWorkflowQuery,
    workflowExecutionTaskQueue: { name: state?.taskQueue ?? '', kind: 1 },
    queries: {},
    messages: [],
  };
}

function answerOrAbort(
  waiting: { readonly answer: Promise<QueryAnswer>; forget(): void },
  signal: AbortSignal,
): Promise<QueryAnswer | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      waiting.forget();
      resolve(undefined);
    };
    signal.addEventListener('abort', onAbort);
    waiting.answer.then((answer) => {
      signal.removeEventListener('abort', onAbort);
      resolve(answer);
    }, reject);
  });
}
