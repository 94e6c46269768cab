import { expect } from 'vitest';
import { cancelTimer, completeRun, step, timer } from '../../test/command-kit.ts';
import { durationOf, refused } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';

export function describeDeadlines(scenario: Scenario): void {
  scenario('A timer fires at its time and not before (TM-1)', async (host, world) => {
    await host.start('a');
    await host.turn([timer('t', 5_000)]);
    await world.clock.advance(4_999);
    expect(await host.names('a')).toHaveLength(5);
    await world.clock.advance(1);
    expect(await host.names('a', '', 6)).toEqual(['TimerFired', 'WorkflowTaskScheduled']);
  });

  scenario(
    'Timers that are due together fire in the order of their times (TM-2)',
    async (host, world) => {
      await host.start('a');
      await host.turn([timer('late', 3_000), timer('early', 1_000), timer('same', 3_000)]);
      await world.clock.sleep(10_000);
      const fired = (await host.history('a'))
        .map((event) => event.timerFiredEventAttributes?.timerId)
        .filter(Boolean);
      expect(fired).toEqual(['early', 'late', 'same']);
    },
  );

  scenario(
    'A timer set earlier than the one waited for is not overlooked (TM-1)',
    async (host, world) => {
      await host.start('a');
      await host.turn([timer('late', 50_000)]);
      await host.signal('a');
      await host.turn([timer('early', 1_000)]);
      await world.clock.advance(1_000);
      expect((await host.names('a')).at(-2)).toBe('TimerFired');
      await world.clock.advance(49_000);
      const names = await host.names('a');
      expect(names.filter((name) => name === 'TimerFired')).toHaveLength(2);
    },
  );

  scenario('A timer months away fires (TM-1)', async (host, world) => {
    const days = 90 * 86_400_000;
    await host.start('a');
    await host.turn([timer('t', days)]);
    await world.clock.sleep(days - 1);
    expect(await host.names('a')).toHaveLength(5);
    await world.clock.sleep(60_000);
    expect((await host.names('a')).at(-2)).toBe('TimerFired');
  });

  scenario('A cancelled timer does not fire (TM-1)', async (host, world) => {
    await host.start('a');
    await host.turn([timer('t', 5_000)]);
    await host.signal('a');
    await host.turn([cancelTimer('t')]);
    await world.clock.advance(60_000);
    expect((await host.names('a')).at(-1)).toBe('TimerCanceled');
  });

  scenario('A timer id that is pending already fails the task (TM-1)', async (host) => {
    await host.start('a');
    const task = await host.poll();
    const twice = [timer('t', 1_000), timer('t', 1_000)];
    expect((await refused(host.complete(task, twice))).code).toBe('INVALID_ARGUMENT');
  });

  scenario(
    'A clock that goes back makes no timer early and loses none (TM-2)',
    async (host, world) => {
      await host.start('a');
      await host.turn([timer('t', 5_000)]);
      await world.clock.advance(2_000);
      world.clock.shift(-3_600_000);
      await world.clock.advance(3_000);
      expect(await host.names('a')).toHaveLength(5);
      await world.clock.sleep(3_600_000);
      await world.clock.advance(60_000);
      expect((await host.names('a')).at(-2)).toBe('TimerFired');
    },
  );

  scenario(
    'A clock that jumps ahead fires what is due within a minute (TM-2)',
    async (host, world) => {
      await host.start('a');
      await host.turn([timer('t', 1_800_000)]);
      world.clock.shift(3_600_000);
      await world.clock.advance(60_000);
      expect((await host.names('a')).at(-2)).toBe('TimerFired');
    },
  );

  scenario('A started workflow task times out (WT-12)', async (host, world) => {
    await host.start('a', { workflowTaskTimeout: durationOf(20_000) });
    await host.poll();
    await world.clock.advance(19_999);
    expect(await host.tryPoll()).toBeUndefined();
    await world.clock.advance(1);
    expect((await host.poll()).attempt).toBe(2);
  });

  scenario('A workflow task nobody takes waits for ever (WT-5)', async (host, world) => {
    await host.start('a');
    await world.clock.sleep(86_400_000);
    expect((await host.poll()).attempt).toBe(1);
  });

  scenario('A run ends at its timeout, in the middle of its work (CN-4)', async (host, world) => {
    await host.start('a', { workflowRunTimeout: durationOf(30_000) });
    await host.turn([step('s'), timer('t', 60_000)]);
    const task = await host.pollStep();
    await host.signal('a');
    await world.clock.advance(29_999);
    expect(await host.status('a')).toBe('RUNNING');
    await world.clock.advance(1);
    expect(await host.status('a')).toBe('TIMED_OUT');
    expect((await host.names('a')).at(-1)).toBe('WorkflowExecutionTimedOut');
    expect((await refused(host.completeStep(task))).code).toBe('NOT_FOUND');
    expect(await host.tryPoll()).toBeUndefined();
  });

  scenario('A timeout while a task is started fails the task first (EV-1)', async (host, world) => {
    await host.start('a', { workflowRunTimeout: durationOf(5_000) });
    const task = await host.poll();
    await host.signal('a');
    await world.clock.advance(5_000);
    expect(await host.names('a', '', 4)).toEqual([
      'WorkflowTaskFailed',
      'WorkflowExecutionSignaled',
      'WorkflowExecutionTimedOut',
    ]);
    expect((await refused(host.complete(task, [completeRun()]))).code).toBe('NOT_FOUND');
  });

  scenario(
    'What was due while nobody worked happens when somebody comes (TM-2)',
    async (host, world) => {
      await host.start('a');
      await host.turn([timer('t', 5_000)]);
      await host.vanish();
      await world.clock.advance(60_000);
      const other = await world.host();
      expect((await other.names('a')).at(-2)).toBe('TimerFired');
    },
  );

  scenario('Sixty timers of as many runs fire, each once (TM-2)', async (host, world) => {
    const count = 60;
    await Promise.all(Array.from({ length: count }, (_, index) => host.start(`a${index}`)));
    for (let index = 0; index < count; index += 1) await host.turn([timer('t', 1_000 + index)]);
    await world.clock.sleep(5_000);
    for (let index = 0; index < count; index += 1) {
      expect(await host.names(`a${index}`, '', 6)).toEqual(['TimerFired', 'WorkflowTaskScheduled']);
    }
  });
}
