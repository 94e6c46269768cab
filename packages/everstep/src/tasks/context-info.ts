/** What a workflow's code is told of its run, as the first event says it. */
import type { LoadedDataConverter, Payload } from '@temporalio/common';
import type { ContextHost } from './context-host.ts';
import type { NextRunRequest } from './run-result.ts';
import type { WorkflowInfo } from './workflow-context.ts';

export function contextInfo(run: ContextHost): WorkflowInfo {
  const { started, info, definition, options } = run;
  const { workflowId, runId } = started.parentWorkflowExecution ?? {};
  return {
    workflowId: run.workflowId,
    runId: run.runId,
    firstExecutionRunId: info?.firstExecutionRunId ?? run.runId,
    workflowType: definition.workflowType,
    taskQueue: info?.taskQueue ?? definition.taskQueue,
    namespace: options.namespace,
    attempt: started.attempt || 1,
    startedAt: run.createdAt,
    parent: workflowId ? { workflowId, runId: runId ?? '' } : undefined,
    memo: decoded(started.memo?.fields, run),
    historyLength: run.task.startedEventId,
  };
}

function decoded(
  fields: Readonly<Record<string, Payload>> | null | undefined,
  run: ContextHost,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields ?? {}).map(([name, payload]) => [name, run.reader.value(payload, name)]),
  );
}

/** Values to payloads, as a memo has them. */
export function memoFields(
  memo: Readonly<Record<string, unknown>>,
  { payloadConverter }: LoadedDataConverter,
): Record<string, Payload> {
  return Object.fromEntries(
    Object.entries(memo).map(([name, value]) => [name, payloadConverter.toPayload(value)]),
  );
}

/** What the next run of the chain keeps; on the wire it must be said again. */
export function carriedAlong({ started }: ContextHost): NextRunRequest['carried'] {
  return {
    ...(started.memo && { memo: started.memo }),
    ...(started.searchAttributes && { searchAttributes: started.searchAttributes }),
    ...(started.retryPolicy && { retryPolicy: started.retryPolicy }),
    ...(started.cronSchedule && { cronSchedule: started.cronSchedule }),
  };
}
