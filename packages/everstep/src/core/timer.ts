/** Timers (section 5): started and cancelled by commands, fired by the wake-up. */
import type { CommandHandler } from './command.ts';
import { invalidAction } from './command-problem.ts';
import type { Draft } from './draft.ts';
import type { EventTable } from './event-table.ts';
import { checkIdLength } from './id-length.ts';
import { EventType, WorkflowTaskFailedCause } from './proto.ts';
import type { HistoryEvent } from './proto.ts';
import type { RunState, TimerInfo } from './state.ts';
import { durationOf, longOf, msOfDuration, msOfTimestamp, numberOf, spanMaxMs } from './time.ts';
import type { WireLong } from './time.ts';
import { scheduleWorkflowTask } from './workflow-task.ts';

const badStart = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES;
const badCancel = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES;
const duplicate = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID;

/** TM-1. */
export const startTimer: CommandHandler = (draft, command, context) => {
  const attributes = command.startTimerCommandAttributes;
  if (!attributes) {
    return {
      cause: badStart,
      message: 'StartTimerCommandAttributes is not set on StartTimerCommand.',
    };
  }
  const timerId = attributes.timerId ?? '';
  if (timerId === '')
    return { cause: badStart, message: 'TimerId is not set on StartTimerCommand.' };
  const tooLong = checkIdLength('TimerId on StartTimerCommand', timerId, draft.env.limits);
  if (tooLong !== undefined) return { cause: badStart, message: tooLong };
  const durationMs = msOfDuration(attributes.startToFireTimeout);
  if (durationMs < 0) {
    const message = `An invalid StartToFireTimeout is set on StartTimerCommand: negative duration. TimerId=${timerId}`;
    return { cause: badStart, message };
  }
  if (draft.state.timers.has(timerId)) {
    return {
      cause: duplicate,
      message: invalidAction('add-timer-started-event', `TimerID: ${timerId}`),
    };
  }
  const event = draft.add(
    EventType.EVENT_TYPE_TIMER_STARTED,
    {
      timerStartedEventAttributes: {
        timerId,
        ...(attributes.startToFireTimeout && {
          startToFireTimeout: durationOf(Math.min(durationMs, spanMaxMs)),
        }),
        workflowTaskCompletedEventId: longOf(context.workflowTaskCompletedEventId),
      },
    },
    { userMetadata: command.userMetadata },
  );
  applyTimerStarted(draft, event);
  return undefined;
};

export const cancelTimer: CommandHandler = (draft, command, context) => {
  const attributes = command.cancelTimerCommandAttributes;
  if (!attributes) {
    return {
      cause: badCancel,
      message: 'CancelTimerCommandAttributes is not set on CancelTimerCommand.',
    };
  }
  const timerId = attributes.timerId ?? '';
  if (timerId === '')
    return { cause: badCancel, message: 'TimerId is not set on CancelTimerCommand.' };
  const tooLong = checkIdLength('TimerId on CancelTimerCommand', timerId, draft.env.limits);
  if (tooLong !== undefined) return { cause: badCancel, message: tooLong };
  const startedEventId =
    draft.state.timers.get(timerId)?.startedEventId ?? takeBufferedFire(draft, timerId);
  if (startedEventId === undefined) {
    return {
      cause: badCancel,
      message: invalidAction('add-timer-canceled-event', `TimerID: ${timerId}`),
    };
  }
  const event = draft.add(
    EventType.EVENT_TYPE_TIMER_CANCELED,
    {
      timerCanceledEventAttributes: {
        timerId,
        startedEventId: longOf(startedEventId),
        workflowTaskCompletedEventId: longOf(context.workflowTaskCompletedEventId),
        identity: context.identity,
      },
    },
    { userMetadata: command.userMetadata },
  );
  applyTimerCanceled(draft, event);
  return undefined;
};

/** WT-18: a fire the worker has not seen is taken back. */
function takeBufferedFire(draft: Draft, timerId: string): number | undefined {
  const { buffered } = draft.state;
  const index = buffered.findIndex((event) => event.timerFiredEventAttributes?.timerId === timerId);
  if (index < 0) return undefined;
  draft.state.buffered = buffered.toSpliced(index, 1);
  return numberOf(buffered[index]?.timerFiredEventAttributes?.startedEventId);
}

/** TM-2: every timer due at `at`, in the order in which they were due. */
export function fireTimers(draft: Draft, at: number = draft.now): void {
  let due: TimerInfo[] | undefined;
  for (const timer of draft.state.timers.values()) {
    if (timer.expiryTime <= at) (due ??= []).push(timer);
  }
  if (!due) return;
  due.sort((a, b) => a.expiryTime - b.expiryTime || a.startedEventId - b.startedEventId);
  for (const timer of due) {
    const event = draft.add(EventType.EVENT_TYPE_TIMER_FIRED, {
      timerFiredEventAttributes: {
        timerId: timer.timerId,
        startedEventId: longOf(timer.startedEventId),
      },
    });
    applyTimerFired(draft, event);
  }
  scheduleWorkflowTask(draft);
}

/** When the next timer is due, 0 = never. TM-3: one past the run's expiration will not be lived to see. */
export function timerWakeAt(state: RunState): number {
  let earliest = Infinity;
  for (const timer of state.timers.values()) earliest = Math.min(earliest, timer.expiryTime);
  const { runExpirationTime } = state;
  return earliest === Infinity || (runExpirationTime > 0 && earliest > runExpirationTime)
    ? 0
    : earliest;
}

function applyTimerStarted(draft: Draft, event: HistoryEvent): void {
  const attributes = event.timerStartedEventAttributes ?? {};
  const timerId = attributes.timerId ?? '';
  draft.own('timers').set(timerId, {
    timerId,
    startedEventId: numberOf(event.eventId),
    expiryTime: msOfTimestamp(event.eventTime) + msOfDuration(attributes.startToFireTimeout),
  });
}

function applyTimerFired(draft: Draft, event: HistoryEvent): void {
  const { timerId, startedEventId } = event.timerFiredEventAttributes ?? {};
  endTimer(draft, timerId, startedEventId);
}

function applyTimerCanceled(draft: Draft, event: HistoryEvent): void {
  const { timerId, startedEventId } = event.timerCanceledEventAttributes ?? {};
  endTimer(draft, timerId, startedEventId);
}

/** In a history the end of a timer that waited in the buffer comes after the start of another with its id. */
function endTimer(
  draft: Draft,
  timerId: string | null | undefined,
  startedEventId: WireLong,
): void {
  const timer = draft.state.timers.get(timerId ?? '');
  if (timer?.startedEventId === numberOf(startedEventId)) draft.own('timers').delete(timer.timerId);
}

export const timerEvents: EventTable = {
  [EventType.EVENT_TYPE_TIMER_STARTED]: applyTimerStarted,
  [EventType.EVENT_TYPE_TIMER_FIRED]: applyTimerFired,
  [EventType.EVENT_TYPE_TIMER_CANCELED]: applyTimerCanceled,
};
