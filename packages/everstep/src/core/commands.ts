/**
 * The table of workflow commands: one handler a type, in the file of the family it belongs to.
 * A handler checks its command's attributes, adds the event and updates the state, or answers a problem.
 */
import { requestCancelActivity, scheduleActivity } from './activity-commands.ts';
import { modifyProperties, recordMarker, upsertSearchAttributes } from './attributes.ts';
import { startChild } from './child-command.ts';
import { cancelWorkflow, completeWorkflow, continueAsNew, failWorkflow } from './close.ts';
import type { CommandHandler } from './command.ts';
import { cancelExternal, signalExternal } from './external.ts';
import { CommandType, WorkflowTaskFailedCause } from './proto.ts';
import { cancelTimer, startTimer } from './timer.ts';
import { protocolMessage } from './update-completion.ts';

const causes = WorkflowTaskFailedCause;

const unset: CommandHandler = () => ({
  cause: causes.WORKFLOW_TASK_FAILED_CAUSE_UNSPECIFIED,
  message: 'CommandType is not set on command.',
});

const nexusOperation: CommandHandler = () => ({
  cause: causes.WORKFLOW_TASK_FAILED_CAUSE_FEATURE_DISABLED,
  message: 'Nexus operations are not built.',
});

export const commandHandlers: Readonly<Record<CommandType, CommandHandler>> = {
  [CommandType.COMMAND_TYPE_UNSPECIFIED]: unset,
  [CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK]: scheduleActivity,
  [CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK]: requestCancelActivity,
  [CommandType.COMMAND_TYPE_START_TIMER]: startTimer,
  [CommandType.COMMAND_TYPE_CANCEL_TIMER]: cancelTimer,
  [CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION]: completeWorkflow,
  [CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION]: failWorkflow,
  [CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION]: cancelWorkflow,
  [CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION]: continueAsNew,
  [CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION]: cancelExternal,
  [CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION]: signalExternal,
  [CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION]: startChild,
  [CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES]: upsertSearchAttributes,
  [CommandType.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES]: modifyProperties,
  [CommandType.COMMAND_TYPE_RECORD_MARKER]: recordMarker,
  [CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE]: protocolMessage,
  [CommandType.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION]: nexusOperation,
  [CommandType.COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION]: nexusOperation,
};
