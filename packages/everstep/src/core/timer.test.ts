import { expect, test } from 'vitest';
import { DraftDriver, startedAt } from '../../test/draft-driver.ts';
import { cancelTimer, fireTimers, startTimer, timerWakeAt } from './timer.ts';
import { WorkflowTaskFailedCause } from './proto.ts';
import { durationOf, numberOf } from './time.ts';

class Timers extends DraftDriver {
  startTimer(timerId: string, ms: number) {
    return this.command(startTimer, {
      startTimerCommandAttributes: { timerId, startToFireTimeout: durationOf(ms) },
    });
  }

  cancelTimer(timerId: string) {
    return this.command(cancelTimer, { cancelTimerCommandAttributes: { timerId } });
  }

  fire(at: number, dueAt?: number): void {
    this.now = at;
    this.step((draft) => fireTimers(draft, dueAt));
  }

  get fired(): (string | null | undefined)[] {
    return this.last.events.flatMap((event) => event.timerFiredEventAttributes?.timerId ?? []);
  }
}

test('a timer expires its duration after its event TM-1', () => {
  const run = new Timers();
  run.startTimer('t', 1_500);
  expect(run.state.timers.get('t')).toEqual({
    timerId: 't',
    startedEventId: 5,
    expiryTime: startedAt + 1_500,
  });
  expect(timerWakeAt(run.state)).toBe(startedAt + 1_500);
});

test('a duplicate timer id and a negative duration fail the task TM-1', () => {
  const run = new Timers();
  run.startTimer('t', 1_500);
  expect(run.startTimer('t', 1)).toEqual({
    cause: WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID,
    message: 'invalid history builder state for action: add-timer-started-event, TimerID: t',
  });
  expect(run.startTimer('u', -1)?.message).toContain('negative duration');
  expect(run.startTimer('', 1)?.message).toBe('TimerId is not set on StartTimerCommand.');
});

test('one wake fires every expired timer, by expiry and then by age TM-2', () => {
  const run = new Timers();
  for (const [id, ms] of [
    ['late', 900],
    ['b', 500],
    ['a', 500],
    ['never', 5_000],
  ] as const)
    run.startTimer(id, ms);
  run.fire(startedAt + 499);
  expect([run.fired, run.last.changed]).toEqual([[], false]);
  run.fire(startedAt + 1_000);
  expect(run.fired).toEqual(['b', 'a', 'late']);
  expect(run.events.at(-1)).toBe('WorkflowTaskScheduled');
  expect([...run.state.timers.keys()]).toEqual(['never']);
});

test('a timer fires at its wake although the clock went back since TM-2', () => {
  const run = new Timers();
  run.startTimer('t', 500);
  run.fire(startedAt + 400, startedAt + 500);
  expect(run.fired).toEqual(['t']);
});

test('a timer past the run expiration asks for no wake TM-3', () => {
  const run = new Timers({ runExpirationTime: startedAt + 1_000 });
  run.startTimer('t', 1_001);
  expect(timerWakeAt(run.state)).toBe(0);
  run.startTimer('u', 1_000);
  expect(timerWakeAt(run.state)).toBe(startedAt + 1_000);
  expect(timerWakeAt(new Timers().state)).toBe(0);
});

test('cancelling a pending timer takes it away, an unknown one fails the task TM-1', () => {
  const run = new Timers();
  run.startTimer('t', 500);
  expect(run.cancelTimer('t')).toBeUndefined();
  expect(run.events).toEqual(['TimerCanceled']);
  expect(run.state.timers.size).toBe(0);
  expect(run.cancelTimer('t')).toEqual({
    cause: WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES,
    message: 'invalid history builder state for action: add-timer-canceled-event, TimerID: t',
  });
});

test('cancelling a timer whose fire is buffered takes the fire back WT-18', () => {
  const run = new Timers();
  run.startTimer('t', 500);
  run.startTimer('u', 500);
  run.startWorkflowTask();
  run.fire(startedAt + 500);
  expect([run.events, run.buffered]).toEqual([[], ['TimerFired', 'TimerFired']]);
  run.clearWorkflowTask();
  expect(run.cancelTimer('t')).toBeUndefined();
  expect(run.events).toEqual(['TimerCanceled']);
  expect(numberOf(run.last.events[0]?.timerCanceledEventAttributes?.startedEventId)).toBe(5);
  expect(run.state.buffered.map((event) => event.timerFiredEventAttributes?.timerId)).toEqual([
    'u',
  ]);
});
