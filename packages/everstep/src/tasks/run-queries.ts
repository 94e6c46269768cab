/** What a run answers when it is asked about itself. */
import {
  defaultPayloadConverter,
  type LoadedDataConverter,
  type Payload,
} from '@temporalio/common';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { Entry, SignalWait } from './journal.ts';
import type { LiveRun } from './live-run.ts';
import { failureMessage } from './failure-summary.ts';
import { thrownMessage } from './run-failure.ts';
import { isInternalKey } from './task-status.ts';

type QueryResult = temporal.api.query.v1.IWorkflowQueryResult;

const { QueryResultType } = proto.temporal.api.enums.v1;

const queries: Readonly<Record<string, (run: LiveRun, converter: LoadedDataConverter) => Payload>> =
  {
    getProgress: (run, converter) =>
      converter.payloadConverter.toPayload(progressOf(run, converter)),
    __stack_trace: (run, converter) => converter.payloadConverter.toPayload(stackOf(run)),
    // Tools read this one: always as JSON.
    __temporal_workflow_metadata: (run) => defaultPayloadConverter.toPayload(metadataOf(run)),
  };

export function answerQuery(
  run: LiveRun,
  queryType: string,
  converter: LoadedDataConverter,
): QueryResult {
  const query = Object.hasOwn(queries, queryType) ? queries[queryType] : undefined;
  if (query === undefined) {
    return failedQuery(
      `Task "${run.definition.name}" has no query "${queryType}"; it answers ${Object.keys(queries).join(', ')}.`,
    );
  }
  try {
    return {
      resultType: QueryResultType.QUERY_RESULT_TYPE_ANSWERED,
      answer: { payloads: [query(run, converter)] },
    };
  } catch (error) {
    return failedQuery(thrownMessage(error));
  }
}

export function failedQuery(errorMessage: string): QueryResult {
  return {
    resultType: QueryResultType.QUERY_RESULT_TYPE_FAILED,
    errorMessage,
    failure: { message: errorMessage, applicationFailureInfo: { type: 'QueryFailed' } },
  };
}

/** The status as far as the run itself knows it. */
function progressOf(run: LiveRun, converter: LoadedDataConverter): Record<string, unknown> {
  const { steps, waits, firstStartedAt } = run.journal;
  const completed: { readonly id: string; readonly at: number }[] = [];
  for (const entry of steps.values()) {
    const { id, closedEventId } = entry;
    if (entry.completed && !isInternalKey(id)) completed.push({ id, at: closedEventId });
  }
  const current = [...waits].find(
    (wait): wait is Entry =>
      wait instanceof Entry && wait.kind === 'step' && !isInternalKey(wait.id),
  );
  const { result } = run;
  const startedAt = optionalTsToMs(firstStartedAt);
  return {
    taskId: run.workflowId,
    status: statusOf(run),
    createdAt: optionalTsToMs(run.info?.createdAt),
    ...(startedAt !== undefined && { startedAt }),
    completedSteps: completed.toSorted((a, b) => a.at - b.at).map(({ id }) => id),
    ...(current && !result && { currentStep: current.id }),
    ...(result?.kind === 'completed' && {
      result: converter.payloadConverter.fromPayload(result.payload),
    }),
    ...(result?.kind === 'failed' && { error: failureMessage(result.error) }),
  };
}

/** Where the code waits, and for what. */
export function stackOf(run: LiveRun): string {
  const waits = Array.from(run.journal.waits, (wait) =>
    wait instanceof SignalWait ? `    signal "${wait.name}"` : `    ${wait.kind} "${wait.id}"`,
  );
  const noun = run.definition.kind === 'context' ? 'Workflow' : 'Task';
  return [
    `${noun} "${run.definition.name}" waits at ${run.waitsAt ?? 'its step'} for:`,
    ...waits,
  ].join('\n');
}

function statusOf(run: LiveRun): string {
  if (run.result) return run.result.kind;
  return run.journal.firstStartedAt ? 'processing' : 'pending';
}

function metadataOf(run: LiveRun): Record<string, unknown> {
  return {
    definition: {
      type: run.definition.workflowType,
      queryDefinitions: Object.keys(queries).map((name) => ({ name })),
      signalDefinitions: [],
      updateDefinitions: [],
    },
    currentDetails: '',
  };
}
