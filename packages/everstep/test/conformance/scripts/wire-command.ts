/** A script's commands, retry policies and payloads as the wire has them. */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { durationOf, longOf } from '../../../src/core/time.ts';
import { payloadsOf } from '../../core-driver.ts';
import type { Flaw, RetryOptions, ScriptCommand, StartOptions } from './action.ts';

type Wire = temporal.api.command.v1.ICommand;

const { CommandType } = proto.temporal.api.enums.v1;
const longId = 'x'.repeat(1_001);

/** How a script's numbers are called on the wire. Queues are apart, so that a poll can only get what it is for. */
export interface Names {
  workflowId(workflow: number): string;
  workflowQueue(workflow: number): string;
  activityQueue(workflow: number, activity: number): string;
  /** The worker's own, for runs of that workflow. */
  stickyQueue(workflow: number): string;
}

export function seconds(value: number) {
  return durationOf(value * 1_000);
}

function payloadOf(value: unknown): temporal.api.common.v1.IPayload {
  return payloadsOf(value).payloads?.[0] ?? {};
}

export function idOf(name: string, flaw: Flaw | undefined): string {
  if (flaw === 'noId') return '';
  return flaw === 'longId' ? longId : name;
}

function typeOf(name: string, flaw: Flaw | undefined) {
  return { name: flaw === 'noType' ? '' : name };
}

function retryPolicyOf(retry: RetryOptions | undefined) {
  if (retry === undefined) return {};
  const { attempts, intervalSeconds, coefficient, maximumSeconds, nonRetryable } = retry;
  return {
    retryPolicy: {
      maximumAttempts: attempts,
      initialInterval: seconds(intervalSeconds),
      ...(coefficient !== undefined && { backoffCoefficient: coefficient }),
      ...(maximumSeconds !== undefined && { maximumInterval: seconds(maximumSeconds) }),
      ...(nonRetryable && { nonRetryableErrorTypes: [...nonRetryable] }),
    },
  };
}

function searchAttribute(value: string, type: string): temporal.api.common.v1.IPayload {
  const payload = payloadOf(value);
  return {
    ...payload,
    metadata: { ...payload.metadata, type: new TextEncoder().encode(type) },
  };
}

/** The messages of updates stand beside the commands: see Actor. `scheduled` finds the event of an activity to cancel. */
export function wireCommand(
  command: Exclude<ScriptCommand, { command: 'completeUpdate' }>,
  own: number,
  names: Names,
  scheduled: (pick: number) => number,
): Wire {
  switch (command.command) {
    case 'scheduleActivity':
      return {
        commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
        scheduleActivityTaskCommandAttributes: {
          activityId: idOf(`activity-${command.activity}`, command.flaw),
          activityType: typeOf('charge', command.flaw),
          taskQueue: {
            name:
              command.flaw === 'reserved'
                ? '/_sys/steps'
                : names.activityQueue(own, command.activity),
          },
          input: payloadsOf('activity input'),
          ...spans(command),
          ...retryPolicyOf(command.retry),
        },
      };
    case 'cancelActivity':
      return {
        commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
        requestCancelActivityTaskCommandAttributes: {
          scheduledEventId: longOf(scheduled(command.pick)),
        },
      };
    case 'startTimer':
      return {
        commandType: CommandType.COMMAND_TYPE_START_TIMER,
        startTimerCommandAttributes: {
          timerId: idOf(`timer-${command.timer}`, command.flaw),
          ...(command.flaw === 'noTimeout'
            ? {}
            : {
                startToFireTimeout: seconds(command.flaw === 'negative' ? -1 : command.seconds),
              }),
        },
      };
    case 'cancelTimer':
      return {
        commandType: CommandType.COMMAND_TYPE_CANCEL_TIMER,
        cancelTimerCommandAttributes: { timerId: idOf(`timer-${command.timer}`, command.flaw) },
      };
    case 'startChild':
      return {
        commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
        startChildWorkflowExecutionCommandAttributes: {
          namespace: 'default',
          workflowId: idOf(names.workflowId(command.workflow), command.flaw),
          workflowType: typeOf('child', command.flaw),
          taskQueue: { name: names.workflowQueue(command.workflow) },
          input: payloadsOf('child input'),
          parentClosePolicy: command.parentClosePolicy,
          workflowIdReusePolicy: command.reusePolicy,
          workflowTaskTimeout: seconds(100),
          control: 'control',
          ...(command.runTimeout !== undefined && {
            workflowRunTimeout: seconds(command.flaw === 'negative' ? -1 : command.runTimeout),
          }),
          ...(command.cron && { cronSchedule: command.cron }),
          ...retryPolicyOf(command.retry),
        },
      };
    case 'signalExternal':
      return {
        commandType: CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
        signalExternalWorkflowExecutionCommandAttributes: {
          namespace: 'default',
          execution: { workflowId: idOf(names.workflowId(command.workflow), command.flaw) },
          signalName: command.flaw === 'noType' ? '' : 'from-outside',
          input: payloadsOf('signal input'),
          control: 'control',
          childWorkflowOnly: command.childOnly,
        },
      };
    case 'cancelExternal':
      return {
        commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
        requestCancelExternalWorkflowExecutionCommandAttributes: {
          namespace: 'default',
          workflowId: idOf(names.workflowId(command.workflow), command.flaw),
          childWorkflowOnly: command.childOnly,
          control: 'control',
          reason: 'not needed any more',
        },
      };
    case 'marker':
      return {
        commandType: CommandType.COMMAND_TYPE_RECORD_MARKER,
        recordMarkerCommandAttributes: {
          markerName: idOf('marker', command.flaw),
          details: { side: payloadsOf('effect') },
        },
      };
    case 'upsertMemo':
      return {
        commandType: CommandType.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES,
        modifyWorkflowPropertiesCommandAttributes: command.empty
          ? {}
          : { upsertedMemo: { fields: { [`memo-${command.key}`]: payloadOf('changed') } } },
      };
    case 'upsertAttributes':
      return {
        commandType: CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        upsertWorkflowSearchAttributesCommandAttributes:
          command.flaw === 'noId'
            ? {}
            : {
                searchAttributes: {
                  indexedFields: {
                    [command.flaw === 'reserved' ? 'WorkflowId' : 'CustomKeywordField']:
                      searchAttribute(`value-${command.key}`, 'Keyword'),
                  },
                },
              },
      };
    case 'complete':
      return {
        commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
        completeWorkflowExecutionCommandAttributes: command.empty
          ? {}
          : { result: payloadsOf('result') },
      };
    case 'fail':
      return {
        commandType: CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
        failWorkflowExecutionCommandAttributes:
          command.flaw === undefined
            ? {
                failure: {
                  message: 'it went wrong',
                  source: 'conformance',
                  applicationFailureInfo: { type: 'Wrong', nonRetryable: command.nonRetryable },
                },
              }
            : {},
      };
    case 'cancel':
      return {
        commandType: CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
        cancelWorkflowExecutionCommandAttributes: { details: payloadsOf('cancelled') },
      };
    case 'continueAsNew':
      return {
        commandType: CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
        continueAsNewWorkflowExecutionCommandAttributes: {
          input: payloadsOf('next input'),
          ...(command.bare
            ? {}
            : {
                workflowType: typeOf('next', command.flaw),
                taskQueue: { name: names.workflowQueue(own) },
                workflowRunTimeout: seconds(command.flaw === 'negative' ? -1 : 2_000),
                workflowTaskTimeout: seconds(90),
                memo: { fields: { carried: payloadOf('over') } },
              }),
          ...(command.backoffSeconds !== undefined && {
            backoffStartInterval: seconds(command.backoffSeconds),
          }),
          ...(command.cron && { cronSchedule: command.cron }),
          ...retryPolicyOf(command.retry),
        },
      };
  }
}

function spans(command: Extract<ScriptCommand, { command: 'scheduleActivity' }>) {
  if (command.flaw === 'noTimeout') return {};
  const sign = command.flaw === 'negative' ? -1 : 1;
  const { scheduleToClose, scheduleToStart, startToClose, heartbeat } = command;
  return {
    ...(scheduleToClose !== undefined && {
      scheduleToCloseTimeout: seconds(sign * scheduleToClose),
    }),
    ...(scheduleToStart !== undefined && {
      scheduleToStartTimeout: seconds(sign * scheduleToStart),
    }),
    ...(startToClose !== undefined && { startToCloseTimeout: seconds(sign * startToClose) }),
    ...(heartbeat !== undefined && { heartbeatTimeout: seconds(heartbeat) }),
  };
}

/** What a start says beside what and where. */
export function startFields(options: StartOptions) {
  const sign = options.flaw === 'negative' ? -1 : 1;
  return {
    ...(options.reusePolicy !== undefined && { workflowIdReusePolicy: options.reusePolicy }),
    ...(options.conflictPolicy !== undefined && {
      workflowIdConflictPolicy: options.conflictPolicy,
    }),
    ...(options.delaySeconds !== undefined && {
      workflowStartDelay: seconds(options.delaySeconds),
    }),
    ...(options.executionTimeout !== undefined && {
      workflowExecutionTimeout: seconds(sign * options.executionTimeout),
    }),
    ...(options.runTimeout !== undefined && {
      workflowRunTimeout: seconds(sign * options.runTimeout),
    }),
    ...(options.cron !== undefined && { cronSchedule: options.cron }),
    ...(options.memo && { memo: { fields: { 'memo-0': payloadOf('kept') } } }),
    ...(options.attributes && {
      searchAttributes: {
        indexedFields: { CustomKeywordField: searchAttribute('first', 'Keyword') },
      },
    }),
    ...(options.header && { header: { fields: { trace: payloadOf('t') } } }),
    ...retryPolicyOf(options.retry),
  };
}
