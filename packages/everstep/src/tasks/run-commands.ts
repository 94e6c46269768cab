/** What a run that waits or has ended owes to its history, as the commands of a workflow task. */
import type { LoadedDataConverter } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { ActivityCall } from './activity-call.ts';
import {
  layRetryPolicy,
  layTimeouts,
  nounOf,
  stepQueue,
  type RunDefinition,
  type StepPolicy,
  type StepTimeouts,
} from './definition.ts';
import { durationOf, longOf } from './int64.ts';
import type { Entry } from './journal.ts';
import { unknownStepField } from './operation-check.ts';
import type { LiveRun } from './live-run.ts';
import { thrownFailure } from './run-failure.ts';
import { TaskCodeError } from './task-errors.ts';
import { kindKey, singleKey } from './task-kind.ts';
import type { RunResult } from './run-result.ts';

export type Command = temporal.api.command.v1.ICommand;
type ScheduleAttributes = temporal.api.command.v1.IScheduleActivityTaskCommandAttributes;

const { CommandType, TaskQueueKind } = proto.temporal.api.enums.v1;

export interface CommandOptions {
  readonly converter: LoadedDataConverter;
  /** A heartbeat timeout for steps that name none, where the runtime itself heartbeats; 0 for none. */
  readonly automaticHeartbeatMs: number;
  /** Of the queue of its steps, where other workers share the queue of its tasks (stepQueue). */
  readonly stepsApart?: string | undefined;
}

/** The attributes that all steps of a task share; made once for each queue. */
interface Shared {
  readonly stepQueue: string;
  readonly attributes: ScheduleAttributes;
}

const sharedOf = new WeakMap<RunDefinition, Shared>();

/** @throws TaskCodeError STEP_OPTIONS_INVALID naming the key */
export function commandsOf(run: LiveRun, options: CommandOptions): Command[] {
  const outgoing = run.outgoing?.takeCommands() ?? [];
  if (run.result) return [...outgoing, closing(run.result, options.converter)];
  const { fresh, cancels } = run.journal.takeOwed();
  const commands: Command[] = outgoing;
  for (const entry of fresh) {
    commands.push(entry.kind === 'step' ? scheduleStep(run, entry, options) : startTimer(entry));
  }
  for (const entry of cancels) {
    commands.push(
      entry.kind === 'step'
        ? {
            commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
            requestCancelActivityTaskCommandAttributes: {
              scheduledEventId: longOf(entry.scheduledEventId),
            },
          }
        : {
            commandType: CommandType.COMMAND_TYPE_CANCEL_TIMER,
            cancelTimerCommandAttributes: { timerId: entry.id },
          },
    );
  }
  return commands;
}

function scheduleStep(run: LiveRun, entry: Entry, options: CommandOptions): Command {
  const { definition } = run;
  const shared = sharedAttributes(definition, run.info?.taskQueue ?? definition.taskQueue, options);
  const { retryPolicy, timeouts } = entry.descriptor ?? {};
  const call = entry.descriptor instanceof ActivityCall ? entry.descriptor : undefined;
  // An activity's options are checked where it is called.
  const odd = entry.descriptor && !call ? unknownStepField(entry.descriptor) : undefined;
  if (odd !== undefined) {
    throw new TaskCodeError(
      'STEP_OPTIONS_INVALID',
      `Step "${entry.id}" of ${nounOf(definition)} "${definition.name}": ${odd}.`,
    );
  }
  const attributes: ScheduleAttributes = {
    activityId: entry.id,
    activityType: {
      name:
        call?.type ??
        (entry.id === kindKey || (entry.raw && entry.id === singleKey)
          ? definition.name
          : `${definition.name}.${entry.key}`),
    },
    taskQueue:
      call?.taskQueue === undefined
        ? (shared.taskQueue ?? null)
        : { name: call.taskQueue, kind: TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
    input: call ? { payloads: [call.input] } : null,
    scheduleToCloseTimeout: shared.scheduleToCloseTimeout ?? null,
    scheduleToStartTimeout: shared.scheduleToStartTimeout ?? null,
    startToCloseTimeout: shared.startToCloseTimeout ?? null,
    heartbeatTimeout: shared.heartbeatTimeout ?? null,
    retryPolicy: shared.retryPolicy ?? null,
  };
  if (retryPolicy !== undefined || timeouts !== undefined) {
    const where = `Step "${entry.id}" of ${nounOf(definition)} "${definition.name}": `;
    try {
      Object.assign(attributes, {
        ...timeoutAttributes(layTimeouts(definition.timeouts, timeouts, where), options),
        retryPolicy: wirePolicy(layRetryPolicy(definition.retryPolicy, retryPolicy, where)),
      });
    } catch (cause) {
      throw new TaskCodeError(
        'STEP_OPTIONS_INVALID',
        cause instanceof Error ? cause.message : String(cause),
        { cause },
      );
    }
  }
  return {
    commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
    scheduleActivityTaskCommandAttributes: attributes,
  };
}

function sharedAttributes(
  definition: RunDefinition,
  taskQueue: string,
  options: CommandOptions,
): ScheduleAttributes {
  const name = stepQueue(definition, taskQueue, options.stepsApart);
  const known = sharedOf.get(definition);
  if (known?.stepQueue === name) return known.attributes;
  const attributes: ScheduleAttributes = {
    taskQueue: {
      name,
      kind: TaskQueueKind.TASK_QUEUE_KIND_NORMAL,
    },
    ...timeoutAttributes(definition.timeouts, options),
    retryPolicy: wirePolicy(definition.retryPolicy),
  };
  sharedOf.set(definition, { stepQueue: name, attributes });
  return attributes;
}

function timeoutAttributes(
  timeouts: StepTimeouts,
  { automaticHeartbeatMs }: CommandOptions,
): ScheduleAttributes {
  const { startToCloseMs, scheduleToCloseMs, scheduleToStartMs } = timeouts;
  const heartbeatMs = timeouts.heartbeatMs || automaticHeartbeatMs;
  return {
    startToCloseTimeout: durationOf(startToCloseMs),
    ...(scheduleToCloseMs > 0 && { scheduleToCloseTimeout: durationOf(scheduleToCloseMs) }),
    ...(scheduleToStartMs > 0 && { scheduleToStartTimeout: durationOf(scheduleToStartMs) }),
    ...(heartbeatMs > 0 && { heartbeatTimeout: durationOf(heartbeatMs) }),
  };
}

function wirePolicy(policy: StepPolicy): temporal.api.common.v1.IRetryPolicy {
  return {
    maximumAttempts: policy.maximumAttempts,
    initialInterval: durationOf(policy.initialDelayMs),
    maximumInterval: durationOf(policy.maxDelayMs),
    backoffCoefficient: policy.backoffMultiplier,
    nonRetryableErrorTypes: [...policy.nonRetryable],
  };
}

function startTimer(entry: Entry): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_START_TIMER,
    startTimerCommandAttributes: {
      timerId: entry.id,
      startToFireTimeout: durationOf(Math.max(1, entry.durationMs)),
    },
  };
}

function closing(result: RunResult, converter: LoadedDataConverter): Command {
  switch (result.kind) {
    case 'completed':
      return {
        commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
        completeWorkflowExecutionCommandAttributes: { result: { payloads: [result.payload] } },
      };
    case 'failed':
      return {
        commandType: CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
        failWorkflowExecutionCommandAttributes: {
          failure: thrownFailure(result.error, converter),
        },
      };
    case 'cancelled':
      return {
        commandType: CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
        cancelWorkflowExecutionCommandAttributes: {},
      };
    case 'continuedAsNew': {
      const { input, workflowType, taskQueue, carried } = result.next;
      return {
        commandType: CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
        continueAsNewWorkflowExecutionCommandAttributes: {
          ...carried,
          workflowType: { name: workflowType },
          taskQueue: { name: taskQueue, kind: TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
          input: { payloads: [input] },
        },
      };
    }
  }
}
