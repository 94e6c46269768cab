/** What a workflow with a context answers when it is asked about itself: its own handlers, and what tools ask. */
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import type { ContextRun } from './context-run.ts';
import { disown, isPromiseLike } from './coroutine.ts';
import { thrownMessage } from './run-failure.ts';
import { failedQuery, stackOf } from './run-queries.ts';
import { TaskCodeError } from './task-errors.ts';

type QueryResult = temporal.api.query.v1.IWorkflowQueryResult;

const { QueryResultType } = proto.temporal.api.enums.v1;

export function answerContextQuery(
  run: ContextRun,
  queryType: string,
  argument: Payload | undefined,
): QueryResult {
  run.answering = true;
  try {
    const payload = answered(run, queryType, argument);
    if (payload === undefined) {
      const known = [...run.queries.keys()];
      return failedQuery(
        `Workflow "${run.definition.name}" has no query "${queryType}"; ${known.length === 0 ? 'it has set no query handler' : `it answers ${known.join(', ')}`}.`,
      );
    }
    return {
      resultType: QueryResultType.QUERY_RESULT_TYPE_ANSWERED,
      answer: { payloads: [payload] },
    };
  } catch (error) {
    return failedQuery(thrownMessage(error));
  } finally {
    run.answering = false;
  }
}

function answered(
  run: ContextRun,
  queryType: string,
  argument: Payload | undefined,
): Payload | undefined {
  const { payloadConverter } = run.options.converter;
  const handler = run.queries.get(queryType);
  if (handler !== undefined) {
    const value = handler(run.reader.value(argument, `the query ${queryType}`));
    if (!isPromiseLike(value)) return payloadConverter.toPayload(value);
    disown(value);
    throw new TaskCodeError(
      'CONTEXT_MISUSED',
      `The handler of query "${queryType}" returned a promise; expected a value: a query waits for nothing`,
    );
  }
  if (queryType === '__stack_trace') return payloadConverter.toPayload(stackOf(run));
  // Tools read this one: always as JSON.
  if (queryType === '__temporal_workflow_metadata') {
    return defaultPayloadConverter.toPayload({
      definition: {
        type: run.definition.workflowType,
        queryDefinitions: [...run.queries.keys()].map((name) => ({ name })),
        signalDefinitions: [],
        updateDefinitions: [...run.updates.handlers.keys()].map((name) => ({ name })),
      },
      currentDetails: '',
    });
  }
  return undefined;
}
