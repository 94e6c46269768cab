/** The command that starts a child (CH-1): checked here as a start request is, since its start comes too late to refuse. */
import { checkSearchAttributes, checkSearchAttributesSize, registryOf } from './attributes.ts';
import { applyChildInitiated } from './child-events.ts';
import { checkCount } from './command-problem.ts';
import type { CommandHandler, CommandProblem } from './command.ts';
import { validateCron } from './cron.ts';
import type { Draft } from './draft.ts';
import { crossNamespaceMessage } from './external.ts';
import { checkTaskQueue, idTooLong, taskQueueName } from './id-length.ts';
import { memoBytes, payloadsBytes } from './payload-size.ts';
import {
  EventType,
  ParentClosePolicy,
  TaskQueueKind,
  WorkflowIdReusePolicy,
  WorkflowTaskFailedCause,
} from './proto.ts';
import type { Command } from './proto.ts';
import { retryPolicyFromWire, retryPolicyToWire, validateRetryPolicy } from './retry.ts';
import { durationOf, longOf, msOfDuration, numberOf, spanMaxMs } from './time.ts';

type Attributes = NonNullable<Command['startChildWorkflowExecutionCommandAttributes']>;

const causes = WorkflowTaskFailedCause;
const badStart = causes.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES;
const name = 'StartChildWorkflowExecutionCommand';

function bad(message: string): CommandProblem {
  return { cause: badStart, message };
}

function checkIds(draft: Draft, attributes: Attributes): string | undefined {
  const { state, env } = draft;
  const namespace = attributes.namespace || state.namespace;
  const workflowId = attributes.workflowId ?? '';
  const workflowType = attributes.workflowType?.name ?? '';
  const ids = `WorkflowId=${workflowId} WorkflowType=${workflowType} Namespace=${namespace}`;
  if (namespace !== state.namespace) return crossNamespaceMessage;
  if (workflowId === '') return `Required field WorkflowId is not set on ${name}. ${ids}`;
  if (workflowType === '') return `Required field WorkflowType is not set on ${name}. ${ids}`;
  if (idTooLong(workflowId, env.limits))
    return `WorkflowId on ${name} exceeds length limit. ${ids}`;
  if (idTooLong(workflowType, env.limits))
    return `WorkflowType on ${name} exceeds length limit. ${ids}`;
  for (const field of [
    'workflowExecutionTimeout',
    'workflowRunTimeout',
    'workflowTaskTimeout',
  ] as const) {
    if (msOfDuration(attributes[field]) < 0) {
      return `Invalid ${field[0]?.toUpperCase()}${field.slice(1)} on ${name}: negative duration. ${ids}`;
    }
  }
  const retry =
    attributes.retryPolicy && validateRetryPolicy(retryPolicyFromWire(attributes.retryPolicy));
  if (retry) return `invalid WorkflowRetryPolicy on ${name}: ${retry}. ${ids}`;
  if (attributes.cronSchedule) {
    const cron = validateCron(attributes.cronSchedule, draft.now);
    if (!cron.ok) return `invalid CronSchedule on ${name}: ${cron.message}. ${ids}`;
  }
  if ((attributes.priority?.priorityKey ?? 0) < 0) return "priority key can't be negative";
  const queue = checkTaskQueue(taskQueueName(attributes.taskQueue, state.taskQueue), env.limits);
  return queue === undefined ? undefined : `invalid TaskQueue on ${name}: ${queue}. ${ids}`;
}

function checkSizes(draft: Draft, attributes: Attributes): string | undefined {
  const { limits } = draft.env;
  if (payloadsBytes(attributes.input) > limits.payloadBytesMax) {
    return `${name}Attributes. Input exceeds size limit.`;
  }
  if (memoBytes(attributes.memo) > limits.memoBytesMax)
    return `${name}Attributes.Memo exceeds size limit.`;
  return checkSearchAttributesSize(attributes.searchAttributes, limits);
}

/** MS-2, WT-2: the run's timeout is at most the execution's, the task's at most the run's. */
function childTimeouts(draft: Draft, attributes: Attributes) {
  const { limits } = draft.env;
  const executionMs = Math.min(msOfDuration(attributes.workflowExecutionTimeout), spanMaxMs);
  const runMs = Math.min(
    msOfDuration(attributes.workflowRunTimeout) || executionMs,
    executionMs || spanMaxMs,
  );
  const taskMs = Math.min(
    msOfDuration(attributes.workflowTaskTimeout) || limits.workflowTaskTimeoutMs,
    limits.workflowTaskTimeoutMaxMs,
    runMs || Infinity,
  );
  return {
    ...(executionMs > 0 && { workflowExecutionTimeout: durationOf(executionMs) }),
    ...(runMs > 0 && { workflowRunTimeout: durationOf(runMs) }),
    workflowTaskTimeout: durationOf(taskMs),
  };
}

export const startChild: CommandHandler = (draft, command, context) => {
  const attributes = command.startChildWorkflowExecutionCommandAttributes;
  if (!attributes) return bad(`${name}Attributes is not set on ${name}.`);
  const { state, env } = draft;
  const problem = checkIds(draft, attributes);
  if (problem !== undefined) return bad(problem);
  const badAttributes = checkSearchAttributes(
    attributes.searchAttributes,
    env.limits,
    registryOf(draft),
  );
  if (badAttributes !== undefined) {
    const cause = causes.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES;
    return {
      cause,
      message: `invalid SearchAttributes on StartChildWorkflowCommand: ${badAttributes}`,
    };
  }
  const tooLarge = checkSizes(draft, attributes);
  if (tooLarge !== undefined) return { ...bad(tooLarge), terminate: true };
  const tooMany = checkCount(
    'pending child workflow executions',
    state.children.size,
    env.limits.pendingChildrenMax,
    causes.WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED,
  );
  if (tooMany) return tooMany;
  const event = draft.add(
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
    {
      startChildWorkflowExecutionInitiatedEventAttributes: {
        namespace: state.namespace,
        namespaceId: state.namespaceId,
        workflowId: attributes.workflowId ?? '',
        workflowType: { name: attributes.workflowType?.name ?? '' },
        taskQueue: {
          name: taskQueueName(attributes.taskQueue, state.taskQueue),
          kind: TaskQueueKind.TASK_QUEUE_KIND_NORMAL,
        },
        ...(attributes.input && { input: attributes.input }),
        ...childTimeouts(draft, attributes),
        parentClosePolicy:
          attributes.parentClosePolicy || ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE,
        ...(attributes.control && { control: attributes.control }),
        workflowTaskCompletedEventId: longOf(context.workflowTaskCompletedEventId),
        workflowIdReusePolicy:
          attributes.workflowIdReusePolicy ||
          WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
        ...(attributes.retryPolicy && {
          retryPolicy: retryPolicyToWire(retryPolicyFromWire(attributes.retryPolicy)),
        }),
        ...(attributes.cronSchedule && { cronSchedule: attributes.cronSchedule }),
        ...(attributes.header && { header: attributes.header }),
        ...(attributes.memo && { memo: attributes.memo }),
        ...(attributes.searchAttributes && { searchAttributes: attributes.searchAttributes }),
        ...(attributes.priority && { priority: attributes.priority }),
      },
    },
    { userMetadata: command.userMetadata },
  );
  applyChildInitiated(draft, event);
  draft.outbox.push({ kind: 'startChild', initiatedEventId: numberOf(event.eventId) });
  return undefined;
};
