import { expect, it } from 'vitest';
import { CoreDriver, startTime } from '../../test/core-driver.ts';
import { CommandType } from './proto.ts';
import type { Command } from './proto.ts';
import { durationOf } from './time.ts';
import { wakeAt } from './wake.ts';

const timer = (timerId: string, ms: number): Command => ({
  commandType: CommandType.COMMAND_TYPE_START_TIMER,
  startTimerCommandAttributes: { timerId, startToFireTimeout: durationOf(ms) },
});

it('a run without a deadline needs no wake-up', () => {
  const run = new CoreDriver();
  expect(wakeAt(run.state)).toBe(0);
  run.turn();
  expect(wakeAt(run.state)).toBe(0);
});

it('the earliest deadline wakes the run', () => {
  const run = new CoreDriver({ request: { workflowRunTimeout: durationOf(50_000) } });
  expect(wakeAt(run.state)).toBe(startTime + 50_000);
  run.poll();
  expect(wakeAt(run.state)).toBe(startTime + 10_000);
  run.complete([timer('a', 20_000), timer('b', 5_000)]);
  expect(wakeAt(run.state)).toBe(startTime + 5_000);
});

it('a timer behind the run’s end needs no wake-up (TM-3)', () => {
  const run = new CoreDriver({ request: { workflowRunTimeout: durationOf(1_000) } });
  run.turn([timer('a', 20_000)]);
  expect(wakeAt(run.state)).toBe(startTime + 1_000);
});

it('one wake-up fires every timer that is due, in order (TM-2)', () => {
  const run = new CoreDriver();
  run.turn([timer('late', 3_000), timer('early', 1_000), timer('not', 9_000)]);
  run.now += 3_000;
  run.ok<'wake'>({ kind: 'wake' });
  expect(run.wrote()).toEqual(['TimerFired', 'TimerFired', 'WorkflowTaskScheduled']);
  expect(run.history.at(-3)?.timerFiredEventAttributes?.timerId).toBe('early');
});

it('a clock that went back does not make a deadline undue (TM-2)', () => {
  const run = new CoreDriver();
  run.turn([timer('a', 1_000)]);
  const dueAt = wakeAt(run.state);
  run.now -= 500;
  run.ok<'wake'>({ kind: 'wake', dueAt });
  expect(run.wrote()).toEqual(['TimerFired', 'WorkflowTaskScheduled']);
});

it('a wake-up that comes early or twice does nothing', () => {
  const run = new CoreDriver();
  run.turn([timer('a', 1_000)]);
  run.ok<'wake'>({ kind: 'wake' });
  expect(run.last.changed).toBe(false);
  run.wake();
  run.ok<'wake'>({ kind: 'wake' });
  expect(run.last.changed).toBe(false);
});

it('at the run’s end nothing else fires (EV-1)', () => {
  const run = new CoreDriver({ request: { workflowRunTimeout: durationOf(1_000) } });
  run.turn([timer('a', 1_000)]);
  run.now += 5_000;
  run.ok<'wake'>({ kind: 'wake' });
  expect(run.wrote()).toEqual(['WorkflowExecutionTimedOut']);
});
