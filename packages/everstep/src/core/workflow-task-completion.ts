/** A worker's answer to a workflow task: its commands, all or none (WT-13 … WT-26). */
import { accept, notFound, refuse } from './answer.ts';
import type { Refused } from './answer.ts';
import { terminateRun } from './close.ts';
import type { CommandContext, CommandProblem } from './command.ts';
import { commandHandlers } from './commands.ts';
import type { Draft } from './draft.ts';
import { serverFailure } from './failure.ts';
import type {
  Answer,
  CompleteWorkflowTaskRequest,
  DispatchTask,
  InputOf,
  Replies,
} from './input.ts';
import { CommandType, EventType, TimeoutType, WorkflowTaskFailedCause } from './proto.ts';
import type { Command } from './proto.ts';
import { dropSpeculativeTask, isDropped } from './speculative-task.ts';
import { isOpen } from './state.ts';
import type { WorkflowTaskInfo } from './state.ts';
import { longOf, msOfDuration, numberOf } from './time.ts';
import { applyRemainingMessages } from './update-completion.ts';
import { rejectUnprocessed, wantsToSend } from './update.ts';
import { causeName } from './workflow-task-cause.ts';
import { endFailedTask, timeOutWorkflowTask } from './workflow-task-failure.ts';
import {
  applyCompleted,
  scheduleWorkflowTask,
  taskOfToken,
  writeUnwritten,
} from './workflow-task.ts';

type Reply = Replies['completeWorkflowTask'];

const closeCommands: ReadonlySet<CommandType> = new Set([
  CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
  CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
  CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
]);

export function completeWorkflowTask(
  draft: Draft,
  input: InputOf<'completeWorkflowTask'>,
): Answer<Reply> {
  const { commands, request } = input;
  const task = taskOfToken(draft.state, input.token);
  if (!task) return notFound('Workflow task not found.');
  const disorder = checkSequence(commands);
  if (disorder) return refuse('INVALID_ARGUMENT', disorder);

  const forced = request.forceCreateNewWorkflowTask === true;
  if (forced && draft.state.pause) {
    return refuse(
      'FAILED_PRECONDITION',
      'Workflow is paused and force create new workflow task is not allowed.',
    );
  }
  // WT-24: commands or messages are progress; a task forced without them is a heartbeat.
  const heartbeat = forced && commands.length === 0 && (request.messages ?? []).length === 0;
  if (
    heartbeat &&
    draft.now > task.originalScheduledTime + draft.env.limits.workflowTaskHeartbeatMaxMs
  ) {
    timeOutWorkflowTask(draft, task, TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE);
    return accept(replyOf(scheduleNext(draft, request), []));
  }

  const dropped = isDropped(draft, task, input);
  if (dropped) dropSpeculativeTask(draft);
  const context: CommandContext = {
    workflowTaskCompletedEventId: dropped ? 0 : writeCompleted(draft, task, request),
    identity: request.identity ?? '',
    eagerActivities: [],
    newTaskNeeded: false,
    messages: new Map((request.messages ?? []).map((message) => [message.id ?? '', message])),
  };
  setStickiness(draft, request);

  draft.holdEvents = true;
  for (const command of commands) {
    const problem = applyCommand(draft, command, context);
    if (problem) {
      draft.rollBack();
      return failCommands(draft, task, request, problem);
    }
  }
  const problem = applyRemainingMessages(draft, context);
  if (problem) {
    draft.rollBack();
    return failCommands(draft, task, request, problem);
  }
  draft.holdEvents = false;
  if (!heartbeat) rejectUnprocessed(draft); // WT-25

  if (!isOpen(draft.state)) return accept(replyOf(undefined, []));
  // WT-22. One that is for updates alone is speculative where it travels in the reply.
  const needed = forced || context.newTaskNeeded || draft.state.buffered.length > 0;
  const originalScheduledTime = heartbeat ? task.originalScheduledTime : 0;
  const next =
    needed || wantsToSend(draft.state)
      ? scheduleNext(draft, request, { originalScheduledTime, speculative: !needed })
      : undefined;
  const reply = replyOf(next, context.eagerActivities);
  // WT-26
  const resetHistoryEventId = dropped ? draft.state.lastCompletedStartedEventId : 0;
  return accept({ ...reply, resetHistoryEventId });
}

/** WT-15: the problem in Temporal's words. */
function checkSequence(commands: readonly Command[]): string | undefined {
  for (let index = 0; index < commands.length - 1; index += 1) {
    const type = commands[index]?.commandType;
    if (type && closeCommands.has(type)) {
      const names = commands.map((command) => commandName(command.commandType));
      return `invalid command sequence: [${names.join(', ')}], command ${commandName(type)} must be the last command.`;
    }
  }
  return undefined;
}

function commandName(type: CommandType | null | undefined): string {
  const name: string | undefined = CommandType[type ?? 0];
  return (name ?? '')
    .slice('COMMAND_TYPE_'.length)
    .toLowerCase()
    .replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

function applyCommand(
  draft: Draft,
  command: Command,
  context: CommandContext,
): CommandProblem | undefined {
  // Commands newer than this contract are numbers without a handler.
  const handler = commandHandlers[command.commandType ?? 0] ?? commandHandlers[0];
  return handler(draft, command, context);
}

/** WT-14: the task goes before anything is added. Returns the id of the completed event. */
function writeCompleted(
  draft: Draft,
  pending: WorkflowTaskInfo,
  request: CompleteWorkflowTaskRequest,
): number {
  draft.state.workflowTask = undefined;
  const task = writeUnwritten(draft, pending);
  const event = draft.add(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, {
    workflowTaskCompletedEventAttributes: {
      scheduledEventId: longOf(task.scheduledEventId),
      startedEventId: longOf(task.startedEventId),
      identity: request.identity ?? '',
      ...(request.binaryChecksum && { binaryChecksum: request.binaryChecksum }),
      ...(request.workerVersionStamp && { workerVersion: request.workerVersionStamp }),
      ...(request.sdkMetadata && { sdkMetadata: request.sdkMetadata }),
      ...(request.meteringMetadata && { meteringMetadata: request.meteringMetadata }),
      ...(request.deployment && { deployment: request.deployment }),
      ...(request.versioningBehavior && { versioningBehavior: request.versioningBehavior }),
    },
  });
  applyCompleted(draft, event);
  return numberOf(event.eventId);
}

/** WT-21. */
function setStickiness(draft: Draft, request: CompleteWorkflowTaskRequest): void {
  const name = request.stickyAttributes?.workerTaskQueue?.name;
  draft.state.sticky = name
    ? {
        taskQueue: name,
        scheduleToStartMs: msOfDuration(request.stickyAttributes?.scheduleToStartTimeout),
      }
    : undefined;
}

/** WT-16, WT-19, WT-20. The draft is as it was before the worker answered. */
function failCommands(
  draft: Draft,
  task: WorkflowTaskInfo,
  request: CompleteWorkflowTaskRequest,
  problem: CommandProblem,
): Refused {
  const unhandled =
    problem.cause === WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND;
  const message = unhandled
    ? 'UnhandledCommand'
    : `${causeName(problem.cause)}: ${problem.message}`;
  const refused = refuse('INVALID_ARGUMENT', message);
  if (problem.terminate) {
    terminateRun(draft, { reason: message, identity: 'history-service', cause: problem.cause });
    return refused;
  }
  // On a later attempt the task is left to its timeout, which slows down a worker that fails again and again.
  if (task.attempt > 1 && !unhandled) return refused;
  endFailedTask(draft, task, {
    cause: problem.cause,
    failure: serverFailure(message, false),
    identity: request.identity ?? '',
    binaryChecksum: request.binaryChecksum,
  });
  scheduleWorkflowTask(draft);
  return refused;
}

/** WT-23: whoever asked for the new task back gets it; nothing goes to a queue. */
function scheduleNext(
  draft: Draft,
  request: CompleteWorkflowTaskRequest,
  { originalScheduledTime = 0, speculative = false } = {},
): DispatchTask | undefined {
  const returned = request.returnNewWorkflowTask === true;
  const dispatch = scheduleWorkflowTask(draft, {
    originalScheduledTime,
    returned,
    speculative: speculative && returned,
  });
  return returned ? dispatch : undefined;
}

function replyOf(next: DispatchTask | undefined, eagerActivities: readonly DispatchTask[]): Reply {
  const reply = { eagerActivities, resetHistoryEventId: 0 };
  return next ? { ...reply, returnNewTask: next } : reply;
}
