/** The commands of a workflow task, as short as a test wants to read them. */
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';

const { CommandType } = proto.temporal.api.enums.v1;

export function commandInWords(command: temporal.api.command.v1.ICommand): string {
  const schedule = command.scheduleActivityTaskCommandAttributes;
  const failure = command.failWorkflowExecutionCommandAttributes?.failure;
  const result = command.completeWorkflowExecutionCommandAttributes?.result?.payloads?.[0];
  switch (command.commandType) {
    case CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK:
      return `schedule ${schedule?.activityId ?? ''}`;
    case CommandType.COMMAND_TYPE_START_TIMER:
      return `start timer ${command.startTimerCommandAttributes?.timerId ?? ''}`;
    case CommandType.COMMAND_TYPE_CANCEL_TIMER:
      return `cancel timer ${command.cancelTimerCommandAttributes?.timerId ?? ''}`;
    case CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK:
      return `cancel ${String(command.requestCancelActivityTaskCommandAttributes?.scheduledEventId)}`;
    case CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
      return `complete ${text(result)}`;
    case CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
      return `fail ${failure?.message ?? ''}${failure?.cause ? `: ${failure.cause.message ?? ''}` : ''}`;
    case CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
      return 'cancel the run';
    case CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION:
      return `start child ${command.startChildWorkflowExecutionCommandAttributes?.workflowId ?? ''}`;
    case CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: {
      const { execution, signalName } =
        command.signalExternalWorkflowExecutionCommandAttributes ?? {};
      return `signal ${signalName ?? ''} to ${execution?.workflowId ?? ''}`;
    }
    case CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION:
      return `cancel workflow ${command.requestCancelExternalWorkflowExecutionCommandAttributes?.workflowId ?? ''}`;
    case CommandType.COMMAND_TYPE_RECORD_MARKER:
      return `mark ${text(command.recordMarkerCommandAttributes?.details?.['patch-data']?.payloads?.[0])}`;
    case CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
      return `continue as new ${text(command.continueAsNewWorkflowExecutionCommandAttributes?.input?.payloads?.[0])}`;
    default:
      return String(command.commandType);
  }
}

function text(payload: Payload | null | undefined): string {
  return payload?.data ? Buffer.from(payload.data).toString() : '';
}
