/** Commands of a workflow task, as a worker sends them, with everything a test does not care about filled in. */
import proto from '@temporalio/proto';
import type { Command } from '../src/core/proto.ts';
import { durationOf, longOf } from '../src/core/time.ts';
import { payloadsOf } from './core-driver.ts';

const { CommandType } = proto.temporal.api.enums.v1;

type Activity = NonNullable<Command['scheduleActivityTaskCommandAttributes']>;
type Child = NonNullable<Command['startChildWorkflowExecutionCommandAttributes']>;
type Next = NonNullable<Command['continueAsNewWorkflowExecutionCommandAttributes']>;

export function step(activityId: string, attributes: Activity = {}): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
    scheduleActivityTaskCommandAttributes: {
      activityId,
      activityType: { name: 'Charge' },
      taskQueue: { name: 'steps' },
      startToCloseTimeout: durationOf(10_000),
      input: payloadsOf('input'),
      ...attributes,
    },
  };
}

export function cancelStep(scheduledEventId: number): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
    requestCancelActivityTaskCommandAttributes: { scheduledEventId: longOf(scheduledEventId) },
  };
}

export function timer(timerId: string, ms: number): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_START_TIMER,
    startTimerCommandAttributes: { timerId, startToFireTimeout: durationOf(ms) },
  };
}

export function cancelTimer(timerId: string): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_CANCEL_TIMER,
    cancelTimerCommandAttributes: { timerId },
  };
}

export function completeRun(result: unknown = 'done'): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
    completeWorkflowExecutionCommandAttributes: { result: payloadsOf(result) },
  };
}

export function failRun(message = 'broken', nonRetryable = false): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
    failWorkflowExecutionCommandAttributes: {
      failure: { message, applicationFailureInfo: { type: 'Broken', nonRetryable } },
    },
  };
}

export function cancelRun(): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
    cancelWorkflowExecutionCommandAttributes: {},
  };
}

export function continueAsNew(attributes: Next = {}): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
    continueAsNewWorkflowExecutionCommandAttributes: {
      workflowType: { name: 'Order' },
      taskQueue: { name: 'orders' },
      input: payloadsOf('next'),
      ...attributes,
    },
  };
}

export function child(workflowId: string, attributes: Child = {}): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
    startChildWorkflowExecutionCommandAttributes: {
      workflowId,
      workflowType: { name: 'Parcel' },
      taskQueue: { name: 'parcels' },
      ...attributes,
    },
  };
}

export function signalOther(workflowId: string, signalName = 'go', runId = ''): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
    signalExternalWorkflowExecutionCommandAttributes: {
      execution: { workflowId, runId },
      signalName,
    },
  };
}

export function cancelOther(workflowId: string, runId = ''): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
    requestCancelExternalWorkflowExecutionCommandAttributes: { workflowId, runId },
  };
}
