/** What holds of every history, whatever its workload (reliability.md, invariants 1, 3, 6, 14). */
import type { HistoryEvent } from '../../src/core/proto.ts';
import { numberOf } from '../../src/core/time.ts';

/** A step, as the history has it. */
export interface StepHistory {
  readonly key: string;
  readonly scheduledEventId: number;
  closedEventId: number;
  completed: boolean;
  /** Of the close. */
  at: number;
  /** Of the attempt that closed it, 0 when it never started. */
  attempt: number;
  /** The result's JSON. */
  result: unknown;
}

export interface ReadHistory {
  readonly steps: readonly StepHistory[];
  /** Names of what happened side by side, in history's order: step keys, `signal`, `sleep`. */
  readonly order: readonly string[];
  readonly signalRequestIds: readonly string[];
  readonly problems: readonly string[];
}

export function readHistory(events: readonly HistoryEvent[]): ReadHistory {
  const problems: string[] = [];
  const steps = new Map<number, StepHistory>();
  const attempts = new Map<number, number>();
  const timers = new Map<number, boolean>();
  const workflowTasks = new Map<number, 'scheduled' | 'started' | 'ended'>();
  const order: string[] = [];
  const signalRequestIds: string[] = [];
  let ended = 0;

  const closeStep = (
    event: HistoryEvent,
    close: { scheduledEventId?: unknown; startedEventId?: unknown },
    completed: boolean,
  ): StepHistory | undefined => {
    const id = numberOf(event.eventId);
    const step = steps.get(numberOf(close.scheduledEventId as never));
    if (step === undefined || step.closedEventId !== 0) {
      problems.push(`event ${id} closes a step that is not open`);
      return undefined;
    }
    step.closedEventId = id;
    step.completed = completed;
    step.at = millisecondsOf(event);
    step.attempt = attempts.get(numberOf(close.startedEventId as never)) ?? 0;
    order.push(step.key);
    return step;
  };
  const moveTask = (id: unknown, from: readonly string[], to: 'started' | 'ended'): void => {
    const scheduled = numberOf(id as never);
    const now = workflowTasks.get(scheduled);
    if (now === undefined || !from.includes(now)) {
      problems.push(`workflow task ${scheduled} is ${now ?? 'unknown'} and then ${to}`);
    }
    workflowTasks.set(scheduled, to);
  };

  for (const [index, event] of events.entries()) {
    const id = numberOf(event.eventId);
    if (id !== index + 1) problems.push(`event ${index + 1} has id ${id}`);
    if (ended > 0) problems.push(`event ${id} follows the close ${ended}`);
    if (Boolean(event.workflowExecutionStartedEventAttributes) !== (index === 0)) {
      problems.push(`event ${id} is ${index === 0 ? 'no start' : 'a second start'}`);
    }
    if (isClose(event)) ended = id;
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      const key = scheduled.activityId ?? '';
      if ([...steps.values()].some((step) => step.key === key)) {
        problems.push(`step ${key} is scheduled twice`);
      }
      steps.set(id, {
        key,
        scheduledEventId: id,
        closedEventId: 0,
        completed: false,
        at: 0,
        attempt: 0,
        result: undefined,
      });
    }
    const started = event.activityTaskStartedEventAttributes;
    if (started) attempts.set(id, started.attempt ?? 0);
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed) {
      const step = closeStep(event, completed, true);
      const data = completed.result?.payloads?.[0]?.data;
      if (step && data && data.length > 0) step.result = JSON.parse(Buffer.from(data).toString());
    }
    const failed =
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes;
    if (failed) closeStep(event, failed, false);
    if (event.timerStartedEventAttributes) timers.set(id, false);
    const fired = event.timerFiredEventAttributes;
    if (fired) {
      const timer = numberOf(fired.startedEventId as never);
      if (timers.get(timer) !== false) problems.push(`event ${id} fires a timer that is not open`);
      timers.set(timer, true);
      order.push('sleep');
    }
    const signalled = event.workflowExecutionSignaledEventAttributes;
    if (signalled) {
      signalRequestIds.push(signalled.requestId ?? '');
      order.push('signal');
    }
    if (event.workflowTaskScheduledEventAttributes) workflowTasks.set(id, 'scheduled');
    const taskStarted = event.workflowTaskStartedEventAttributes;
    if (taskStarted) moveTask(taskStarted.scheduledEventId, ['scheduled'], 'started');
    const taskEnded =
      event.workflowTaskCompletedEventAttributes ?? event.workflowTaskFailedEventAttributes;
    if (taskEnded) moveTask(taskEnded.scheduledEventId, ['started'], 'ended');
    const taskTimedOut = event.workflowTaskTimedOutEventAttributes;
    if (taskTimedOut) moveTask(taskTimedOut.scheduledEventId, ['scheduled', 'started'], 'ended');
    if (event.workflowTaskFailedEventAttributes) {
      problems.push(
        `workflow task failed: ${event.workflowTaskFailedEventAttributes.failure?.message ?? ''}`,
      );
    }
  }
  if (ended === 0) problems.push('it has no close');
  for (const step of steps.values()) {
    if (step.closedEventId === 0) problems.push(`step ${step.key} was never closed`);
  }
  return { steps: [...steps.values()], order, signalRequestIds, problems };
}

function isClose(event: HistoryEvent): boolean {
  return Boolean(
    event.workflowExecutionCompletedEventAttributes ??
    event.workflowExecutionFailedEventAttributes ??
    event.workflowExecutionTimedOutEventAttributes ??
    event.workflowExecutionCanceledEventAttributes ??
    event.workflowExecutionTerminatedEventAttributes ??
    event.workflowExecutionContinuedAsNewEventAttributes,
  );
}

/** The value a run completed with. */
export function resultOf(events: readonly HistoryEvent[]): unknown {
  const data =
    events.at(-1)?.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0]?.data;
  return data && data.length > 0 ? JSON.parse(Buffer.from(data).toString()) : undefined;
}

function millisecondsOf(event: HistoryEvent): number {
  const { seconds, nanos } = event.eventTime ?? {};
  return numberOf(seconds as never) * 1_000 + Math.floor((nanos ?? 0) / 1e6);
}
