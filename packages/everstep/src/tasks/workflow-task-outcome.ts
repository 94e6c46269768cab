/** What a worker answers to a workflow task, as the public contract's requests. */
import type { LoadedDataConverter } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import type { WorkflowTask, WorkflowTaskOutcome } from '../service/local-worker.ts';
import type { Logger } from '../service/logger.ts';
import { answerContextQuery } from './context-queries.ts';
import { ContextRun } from './context-run.ts';
import type { PayloadEdge } from './payload-edge.ts';
import type { LiveRun } from './live-run.ts';
import type { Command } from './run-commands.ts';
import { thrownFailure, thrownMessage } from './run-failure.ts';
import { answerQuery, failedQuery } from './run-queries.ts';
import { isThrown, TaskCodeError } from './task-errors.ts';
import { encodeAnswers, placesOf, wireAnswer } from './update-messages.ts';

export interface Answerer {
  readonly namespace: string;
  readonly identity: string;
  /** Empty when nobody gave one. */
  readonly buildId: string;
  readonly converter: LoadedDataConverter;
  readonly edge: PayloadEdge;
  readonly logger: Logger;
}

type QueryAnswer = ReturnType<typeof answerQuery>;

const { WorkflowTaskFailedCause, QueryResultType } = proto.temporal.api.enums.v1;

function hasQueries({ queries }: WorkflowTask): boolean {
  for (const _ in queries) return true;
  return false;
}

/** A promise only where there are queries or updates to be answered, or codecs. */
export function completedOutcome(
  answerer: Answerer,
  task: WorkflowTask,
  run: LiveRun,
  commands: Command[],
): WorkflowTaskOutcome | Promise<WorkflowTaskOutcome> {
  const { namespace, identity, buildId, edge } = answerer;
  const taskToken = task.taskToken ?? new Uint8Array();
  const sender = {
    namespace,
    identity,
    ...(buildId !== '' && { workerVersionStamp: { buildId, useVersioning: false } }),
  };
  const updates = run.updates?.takeAnswers() ?? [];
  const isPlain = !hasQueries(task) && updates.length === 0;
  if (isPlain && (edge.open || commands.length === 0)) {
    return { kind: 'completed', request: { taskToken, ...sender, commands } };
  }
  const answers = Object.entries(task.queries ?? {}).map(async ([id, query]) => {
    const answer = await answered(answerer, run, query);
    return [id, await encoded(answerer, answer)] as const;
  });
  return Promise.all([
    edge.open ? commands : edge.encodeCommands(commands),
    edge.open ? updates : encodeAnswers(updates, edge),
    Promise.all(answers),
  ]).then(([sent, sentUpdates, results]) => ({
    kind: 'completed',
    request: {
      taskToken,
      ...sender,
      // What was accepted comes before what its handler asked for.
      commands: [...placesOf(sentUpdates), ...sent],
      messages: sentUpdates.map(wireAnswer),
      queryResults: Object.fromEntries(results),
    },
  }));
}

async function answered(
  { converter, edge }: Answerer,
  run: LiveRun,
  { queryType, queryArgs }: temporal.api.query.v1.IWorkflowQuery,
): Promise<QueryAnswer> {
  if (!(run instanceof ContextRun)) return answerQuery(run, queryType ?? '', converter);
  const [argument] = await edge.decode(queryArgs?.payloads ?? []);
  return answerContextQuery(run, queryType ?? '', argument);
}

async function encoded({ edge }: Answerer, answer: QueryAnswer): Promise<QueryAnswer> {
  if (edge.open || !answer.answer?.payloads) return answer;
  return { ...answer, answer: { payloads: await edge.encode(answer.answer.payloads) } };
}

/** Decision 9: the workflow task fails, never the run. */
export function failedOutcome(
  { namespace, identity, converter, logger }: Answerer,
  task: WorkflowTask,
  error: unknown,
): WorkflowTaskOutcome {
  const known = isThrown(error, TaskCodeError);
  const code = known ? error.code : 'WORKER_DEFECT';
  logger.error(thrownMessage(error), {
    code,
    workflowId: task.workflowExecution?.workflowId,
    runId: task.workflowExecution?.runId,
    attempt: task.attempt,
    ...(!known && { error }),
  });
  const failure = thrownFailure(error, converter);
  return {
    kind: 'failed',
    request: {
      taskToken: task.taskToken ?? new Uint8Array(),
      namespace,
      identity,
      cause:
        code === 'KEY_CHANGED_KIND' || code === 'TASK_KIND_CHANGED'
          ? WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
          : WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
      failure: known
        ? { ...failure, applicationFailureInfo: { ...failure.applicationFailureInfo, type: code } }
        : failure,
    },
  };
}

/** A query that came as a task of its own. */
export async function queryOutcome(
  answerer: Answerer,
  task: WorkflowTask,
  queried: () => Promise<LiveRun>,
): Promise<WorkflowTaskOutcome> {
  let answer: QueryAnswer;
  try {
    const run = await queried();
    answer = await encoded(answerer, await answered(answerer, run, task.query ?? {}));
  } catch (error) {
    answer = failedQuery(thrownMessage(error));
  }
  const failed = answer.resultType === QueryResultType.QUERY_RESULT_TYPE_FAILED;
  return {
    kind: 'queryCompleted',
    request: {
      taskToken: task.taskToken ?? new Uint8Array(),
      namespace: answerer.namespace,
      completedType: answer.resultType ?? null,
      ...(failed
        ? { errorMessage: answer.errorMessage ?? '', failure: answer.failure ?? null }
        : { queryResult: answer.answer ?? null }),
    },
  };
}
