/**
 * When a rule of execution-core.md is at work in a transition, told by the state before, the input, and what came of
 * it. What only a caller sees is counted where it is seen (rule-coverage.ts).
 */
import type { Input } from '../../src/core/input.ts';
import { EventType, TimeoutType, WorkflowTaskFailedCause } from '../../src/core/proto.ts';
import type { HistoryEvent } from '../../src/core/proto.ts';
import { isOpen } from '../../src/core/state.ts';
import type { ActivityInfo, RunState } from '../../src/core/state.ts';
import type { ScheduleState } from '../../src/core/schedule/schedule-state.ts';
import { numberOf } from '../../src/core/time.ts';
import type { Transition } from '../../src/core/transition.ts';
import { isCloseEvent } from './history-check.ts';

export interface Observed {
  readonly before: RunState | undefined;
  readonly input: Input;
  readonly result: Transition<unknown>;
  readonly now: number;
}

const forceClose = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND;

type Hit = (rule: string) => void;

export function observe(observed: Observed, hit: Hit): void {
  const { before, input, result } = observed;
  const { state, events } = result;
  if (events.length > 1) hit('EV-2');
  if (events.some(isCloseEvent)) closed(observed, hit);
  if (result.nextRun) hit('MS-1');
  if (state.activities.size + state.timers.size + state.children.size > 1) hit('MS-4');
  if (state.memo || state.signalCount > 0 || state.resetPoints.length > 0) hit('MS-5');
  if (before) {
    byWorkflowTask(observed, before, hit);
    byBuffer(observed, before, hit);
    for (const event of events) byEvent(event, observed, before, hit);
    byActivities(observed, before, hit);
  } else {
    if (state.firstTaskBackoffMs > 0 || state.runExpirationTime > 0) hit('MS-2');
    if (state.waitsForParent) hit('CH-2');
    if (state.cronSchedule !== '') hit('CN-3');
  }
  byInput(observed, hit);
  bySpeculative(observed, hit);
  if (input.kind === 'completeWorkflowTask') byCommands(observed, input, hit);
}

function closed({ before, input, result }: Observed, hit: Hit): void {
  const { state } = result;
  hit('EV-1');
  if (before?.status === 'created' || state.status !== 'running') hit('MS-6');
  if (state.status === 'continuedAsNew') hit('CN-1');
  if (state.status === 'timedOut') hit('CN-4');
  if (result.nextRun && before?.retryPolicy && result.nextRun.state.attempt > 1) hit('CN-2');
  if (result.nextRun && state.cronSchedule !== '') hit('CN-3');
  if (before && before.buffered.length > 0) hit('WT-34');
  if (result.outbox.some((message) => message.kind === 'closeChild')) hit('CH-4');
  if (result.outbox.some((message) => message.kind === 'notifyParent')) hit('CH-3');
  if (input.kind === 'terminate') hit('TR-1');
}

function byWorkflowTask({ input, result }: Observed, before: RunState, hit: Hit): void {
  const was = before.workflowTask;
  const task = result.state.workflowTask;
  if (task && task !== was && task.startedEventId === 0) {
    hit('WT-1');
    if (task.timeoutMs !== 10_000) hit('WT-2');
    if (task.dispatchTime > task.scheduledTime) hit('WT-2');
    if (task.attempt > 1) hit('WT-3');
    if (task.sticky) hit('WT-5');
    if (before.buffered.length > 0 && task.attempt === 1) hit('WT-4');
  }
  if (!result.changed) return;
  const failed =
    input.kind === 'failWorkflowTask' ||
    (input.kind === 'wake' && was !== undefined && was !== task);
  if (failed && was && task && task.scheduledEventId >= was.scheduledEventId) {
    if (was.startedEventId !== 0) {
      hit('WT-12');
      hit('WT-28');
      if (was.sticky || before.sticky) hit('WT-28');
    } else if (was.sticky) {
      hit('WT-29');
      hit('WT-6');
    }
  }
  const { workflowTaskProblems: problems } = result.state;
  if (problems > before.workflowTaskProblems && result.state.searchAttributes) hit('WT-32');
}

function bySpeculative({ before, result: { state, events, answer } }: Observed, hit: Hit): void {
  const was = before?.workflowTask;
  const is = state.workflowTask;
  const stays = is?.scheduledEventId === was?.scheduledEventId && is?.stamp === was?.stamp;
  if (is?.kind === 'speculative' && !stays) hit('WT-36');
  if (was?.kind !== 'speculative') return;
  if (is?.kind === 'normal' && stays) {
    hit('WT-37');
    // What the worker is shown next has come since.
    if (events.length > 1 && was.startedEventId === 0) hit('WT-9');
  }
  const { resetHistoryEventId = 0 } =
    ((answer.ok ? answer.value : {}) as
      | {
          readonly resetHistoryEventId?: number;
        }
      | undefined) ?? {};
  if (resetHistoryEventId > 0) {
    hit('WT-26');
    hit('WT-38');
  }
  const [last] = events.slice(was.startedEventId === 0 ? 1 : 2);
  if (last?.workflowTaskFailedEventAttributes || last?.workflowTaskTimedOutEventAttributes) {
    hit('WT-39');
  }
}

function byBuffer({ result }: Observed, before: RunState, hit: Hit): void {
  const { buffered } = result.state;
  if (buffered.length > before.buffered.length) hit('WT-33');
  if (before.buffered.length > 0 && buffered.length === 0 && result.events.length > 1) hit('WT-34');
  const forced = result.events.find(
    (event) => event.workflowTaskFailedEventAttributes?.cause === forceClose,
  );
  if (forced && before.buffered.length > 0) hit('WT-35');
}

function byEvent(event: HistoryEvent, observed: Observed, before: RunState, hit: Hit): void {
  switch (event.eventType) {
    case EventType.EVENT_TYPE_TIMER_FIRED:
      hit('TM-2');
      break;
    case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
      hit('AC-2');
      break;
    case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: {
      hit('AC-9');
      const late = event.activityTaskTimedOutEventAttributes?.failure?.timeoutFailureInfo;
      const of = before.activities.get(
        numberOf(event.activityTaskTimedOutEventAttributes?.scheduledEventId),
      );
      const toClose = late?.timeoutType === TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE;
      if (toClose && of && of.startedTime > 0) hit('AC-10');
      break;
    }
    case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
    case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
      hit('AC-13');
      break;
    case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
      hit('CH-1');
      break;
    case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
      hit('CH-2');
      if (observed.input.kind === 'childClosed') hit('CH-3');
      break;
    case EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
    case EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
      hit('SG-4');
      break;
    case EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
    case EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      hit('SG-5');
      break;
    default:
  }
}

function byActivities({ input, result }: Observed, before: RunState, hit: Hit): void {
  if (result.state.activities === before.activities) return;
  for (const [id, activity] of result.state.activities) {
    const was = before.activities.get(id);
    if (was === undefined) hit('AC-1');
    else if (activity.attempt > was.attempt) retried(was, activity, hit);
    else if (activity.lastHeartbeatTime !== was.lastHeartbeatTime) hit('AC-11');
  }
  const ends = input.kind === 'failActivity' || input.kind === 'wake';
  if (!ends) return;
  for (const [id, was] of before.activities) {
    // Not tried again.
    if (!result.state.activities.has(id) && was.startedTime > 0) hit('AC-6');
    if (!result.state.activities.has(id) && input.kind === 'failActivity') hit('AC-8');
  }
}

function retried(was: ActivityInfo, activity: ActivityInfo, hit: Hit): void {
  hit('AC-6');
  hit('AC-7');
  hit('AC-8');
  if (activity.heartbeatDetails || activity.lastFailure) hit('AC-12');
  if (was.startedTime > 0 && activity.lastFailure?.timeoutFailureInfo) hit('AC-9');
}

function byInput({ before, input, result, now }: Observed, hit: Hit): void {
  const { answer, state } = result;
  const refusal = answer.ok ? undefined : answer.refusal;
  switch (input.kind) {
    case 'startWorkflowTask':
      if (!answer.ok) {
        hit(refusal?.code === 'NOT_FOUND' ? 'WT-7' : 'WT-8');
        break;
      }
      hit('WT-8');
      hit('MS-3');
      if (before?.workflowTask && before.workflowTask.attempt > 1) {
        const first = state.workflowTask?.attempt === 1;
        hit(first ? 'WT-9' : 'WT-3');
      }
      if (before?.workflowTask?.sticky && state.workflowTask?.sticky === false) hit('WT-6');
      if (state.workflowTask?.suggestContinueAsNew) hit('WT-10');
      break;
    case 'startActivity':
      hit('AC-4');
      break;
    case 'completeActivity':
    case 'failActivity':
    case 'cancelActivity':
      if (refusal?.code === 'NOT_FOUND') hit('AC-5');
      if (refusal?.code === 'INVALID_ARGUMENT')
        hit(input.kind === 'cancelActivity' ? 'AC-13' : 'AC-14');
      if (
        input.kind === 'completeActivity' &&
        result.events.some((event) => event.activityTaskFailedEventAttributes)
      ) {
        hit('AC-14');
      }
      break;
    case 'completeWorkflowTask':
    case 'failWorkflowTask':
      if (refusal?.code === 'NOT_FOUND') hit('WT-13');
      if (input.kind === 'failWorkflowTask' && state.status === 'terminated') hit('WT-31');
      break;
    case 'signal':
      if (refusal?.code === 'RESOURCE_EXHAUSTED') hit('WT-17');
      else if (refusal) hit('SG-2');
      else if (!result.changed) hit('SG-1');
      if (answer.ok && state.status === 'created') hit('SG-2');
      break;
    case 'requestCancel':
      if (answer.ok && !result.changed) hit('SG-5');
      break;
    case 'terminate':
      if (refusal) hit('TR-1');
      break;
    case 'wake':
      if ((input.dueAt ?? 0) > now) hit('TM-2');
      break;
    case 'childClosed':
      if (result.changed) hit('CH-3');
      break;
    case 'pauseActivity':
    case 'unpauseActivity':
    case 'resetActivity':
    case 'updateActivityOptions':
      if (result.changed) hit('AC-15');
      break;
    case 'pauseRun':
    case 'unpauseRun':
      if (result.changed) hit('PZ-1');
      break;
    case 'admitUpdate':
      if (refusal?.code === 'NOT_FOUND') hit('UP-6');
      if (refusal?.code === 'RESOURCE_EXHAUSTED') hit(before?.closeAttempted ? 'WT-17' : 'UP-3');
      if (answer.ok && !result.changed) hit('UP-2');
      break;
    default:
  }
  if (before?.schedule && state.schedule) bySchedule(before.schedule, state.schedule, hit);
}

function bySchedule(was: ScheduleState, is: ScheduleState, hit: Hit): void {
  if (is.nextActionId > was.nextActionId) hit('SC-1');
  if (is.overlapSkipped > was.overlapSkipped || is.buffered.length > was.buffered.length) {
    hit('SC-2');
  }
  if (is.running.some(({ ending }) => ending) && is.running !== was.running) hit('SC-2');
  if (is.missedCatchupWindow > was.missedCatchupWindow) hit('SC-3');
  if (is.processedTime > was.processedTime) {
    hit('SC-5');
    if (is.schedule.spec?.jitter) hit('SC-4');
  }
}

/** Some update is there that was not known before. */
function revives(before: RunState, { updates, completedUpdates }: RunState): boolean {
  const knew = (id: string): boolean => before.updates.has(id) || before.completedUpdates.has(id);
  return [...updates.keys(), ...completedUpdates.keys()].some((id) => !knew(id));
}

/** By name of the cause in the words of the refusal. */
const badCommands: readonly (readonly [pattern: RegExp, rule: string])[] = [
  [/^invalid command sequence/, 'WT-15'],
  [/^UnhandledCommand$/, 'WT-16'],
  [/^ScheduleActivityDuplicateId/, 'AC-3'],
  [/^StartTimerDuplicateId/, 'TM-1'],
];

function byCommands(
  { before, result, now }: Observed,
  input: Extract<Input, { kind: 'completeWorkflowTask' }>,
  hit: Hit,
): void {
  const { answer, state } = result;
  if (!answer.ok) {
    if (answer.refusal.code !== 'INVALID_ARGUMENT') return;
    const { message } = answer.refusal;
    const known = badCommands.filter(([pattern]) => pattern.test(message));
    for (const [, rule] of known) hit(rule);
    if (!/^invalid command sequence|^UnhandledCommand/.test(message)) hit('WT-19');
    if (state.status === 'terminated') hit('WT-20');
    return;
  }
  hit('WT-14');
  for (const { stage, failure } of state.updates.values()) {
    const unprocessed = failure?.applicationFailureInfo?.type === 'UnprocessedUpdate';
    if (stage === 'rejected' && unprocessed) hit('WT-25');
  }
  const { request, commands } = input;
  if (before && (request.messages?.length ?? 0) > 0 && revives(before, state)) hit('UP-7');
  if (request.stickyAttributes) hit('WT-21');
  if (before?.sticky && !state.sticky) hit('WT-21');
  if (state.workflowTask) hit('WT-22');
  const was = before?.workflowTask;
  if (request.forceCreateNewWorkflowTask === true && commands.length === 0 && was) {
    if (isOpen(state)) hit('WT-24');
    if (now > was.originalScheduledTime + 1_000) hit('WT-24');
  }
  for (const command of commands) {
    const cancelled = command.cancelTimerCommandAttributes?.timerId;
    if (
      cancelled &&
      before?.buffered.some((event) => event.timerFiredEventAttributes?.timerId === cancelled)
    ) {
      hit('WT-18');
    }
    if (command.startTimerCommandAttributes) {
      hit('TM-1');
      const [last] = [...state.timers.values()].slice(-1);
      if (last && state.runExpirationTime > 0 && last.expiryTime > state.runExpirationTime)
        hit('TM-3');
    }
    if (command.startChildWorkflowExecutionCommandAttributes) hit('CH-1');
  }
}
