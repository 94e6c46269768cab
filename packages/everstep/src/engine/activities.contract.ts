import { expect } from 'vitest';
import proto from '@temporalio/proto';
import { cancelStep, completeRun, step, timer } from '../../test/command-kit.ts';
import { decoded, durationOf, refused } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';

const { RetryState, TimeoutType } = proto.temporal.api.enums.v1;
const once = { retryPolicy: { maximumAttempts: 1 } };

export function describeActivities(scenario: Scenario): void {
  scenario('A paused activity is given to nobody until it goes on (AC-15)', async (host) => {
    await host.start('a');
    await host.turn([step('s')]);
    const named = { namespace: 'default', execution: { workflowId: 'a' }, id: 's' };
    await host.service.pauseActivity(named);
    expect((await host.describe('a')).pendingActivities?.[0]?.paused).toBe(true);
    expect(await host.tryPollStep()).toBeUndefined();
    await host.service.unpauseActivity(named);
    await host.completeStep(await host.pollStep());
    expect(await host.names('a')).toContain('ActivityTaskCompleted');
    expect(await refused(host.service.pauseActivity({ ...named, id: 'other' }))).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  scenario(
    'A running attempt hears that it is paused or reset, and counts as the first (AC-15)',
    async (host, world) => {
      await host.start('a');
      await host.turn([step('s', { retryPolicy: { maximumAttempts: 2 } })]);
      const named = { namespace: 'default', execution: { workflowId: 'a' }, id: 's' };
      const task = await host.pollStep();
      await host.service.pauseActivity(named);
      expect(await host.heartbeat(task)).toMatchObject({ activityPaused: true });
      await host.failStep(task);
      expect(await host.tryPollStep()).toBeUndefined();
      await host.service.resetActivity({ ...named, resetHeartbeat: true });
      const again = await host.pollStep();
      expect(again.attempt).toBe(1);
      await host.service.resetActivity(named);
      expect(await host.heartbeat(again)).toMatchObject({ activityReset: true });
      await host.failStep(again);
      await world.clock.advance(1_000);
      expect((await host.pollStep()).attempt).toBe(2);
    },
  );

  scenario(
    'A completed activity is written as started and completed, and wakes the run (EV-2)',
    async (host) => {
      await host.start('a');
      await host.turn([step('s')]);
      const task = await host.pollStep();
      expect(task).toMatchObject({
        activityId: 's',
        attempt: 1,
        workflowExecution: { workflowId: 'a' },
      });
      expect(decoded(task.input)).toBe('input');
      expect(await host.names('a')).toHaveLength(5);
      await host.completeStep(task, 'charged');
      expect(await host.names('a', '', 6)).toEqual([
        'ActivityTaskStarted',
        'ActivityTaskCompleted',
        'WorkflowTaskScheduled',
      ]);
      const completed = await host.event('a', 'ActivityTaskCompleted');
      expect(decoded(completed.activityTaskCompletedEventAttributes?.result)).toBe('charged');
    },
  );

  scenario('Every timeout that a worker is sent is set (AC-1)', async (host) => {
    await host.start('a', { workflowRunTimeout: durationOf(60_000) });
    await host.turn([step('s')]);
    const task = await host.pollStep();
    expect(task.startToCloseTimeout).toEqual(durationOf(10_000));
    expect(task.scheduleToCloseTimeout).toEqual(durationOf(60_000));
    expect(task.heartbeatTimeout).toEqual(durationOf(0));
  });

  scenario('An activity task is given to one of two polls (AC-4)', async (host, world) => {
    const other = await world.host();
    await host.start('a');
    await host.turn([step('s')]);
    const tasks = await Promise.all([host.tryPollStep(), other.tryPollStep()]);
    expect(tasks.filter((task) => task)).toHaveLength(1);
  });

  scenario('An answer given twice is not found the second time (AC-5)', async (host) => {
    await host.start('a');
    await host.turn([step('s')]);
    const task = await host.pollStep();
    await host.completeStep(task);
    const names = await host.names('a');
    expect((await refused(host.completeStep(task))).code).toBe('NOT_FOUND');
    expect((await refused(host.heartbeat(task))).code).toBe('NOT_FOUND');
    expect(await host.names('a')).toEqual(names);
  });

  scenario('The answer to an attempt that timed out is not found (AC-5)', async (host, world) => {
    await host.start('a');
    await host.turn([step('s')]);
    const first = await host.pollStep();
    await world.clock.advance(11_000);
    const second = await host.pollStep();
    expect(second.attempt).toBe(2);
    expect((await refused(host.completeStep(first))).code).toBe('NOT_FOUND');
    await host.completeStep(second);
  });

  scenario('Retries back off by the policy, on the clock (AC-7)', async (host, world) => {
    await host.start('a');
    await host.turn([
      step('s', {
        scheduleToCloseTimeout: durationOf(600_000),
        retryPolicy: {
          initialInterval: durationOf(2_000),
          backoffCoefficient: 3,
          maximumInterval: durationOf(10_000),
        },
      }),
    ]);
    for (const [index, wait] of [2_000, 6_000, 10_000, 10_000].entries()) {
      const task = await host.pollStep();
      expect(task.attempt).toBe(index + 1);
      await host.failStep(task);
      await world.clock.advance(wait - 1);
      expect(await host.tryPollStep()).toBeUndefined();
      await world.clock.advance(1);
    }
    expect(await host.names('a')).toHaveLength(5);
    await host.completeStep(await host.pollStep());
    const started = await host.event('a', 'ActivityTaskStarted');
    expect(started.activityTaskStartedEventAttributes).toMatchObject({
      attempt: 5,
      lastFailure: { message: 'declined' },
    });
  });

  scenario('A poll that waits is given the retry when it is due (AC-7)', async (host, world) => {
    await host.start('a');
    await host.turn([step('s')]);
    await host.failStep(await host.pollStep());
    const poll = host.service.pollActivityTaskQueue({
      namespace: 'default',
      taskQueue: { name: 'steps' },
    });
    await world.clock.advance(1_000);
    expect((await poll).attempt).toBe(2);
  });

  scenario('A failure may name its own delay (AC-7)', async (host, world) => {
    await host.start('a');
    await host.turn([step('s')]);
    await host.failStep(await host.pollStep(), {
      applicationFailureInfo: { type: 'Busy', nextRetryDelay: durationOf(30_000) },
    });
    await world.clock.advance(29_999);
    expect(await host.tryPollStep()).toBeUndefined();
    await world.clock.advance(1);
    expect((await host.pollStep()).attempt).toBe(2);
  });

  scenario('The last allowed attempt fails for good (AC-6)', async (host, world) => {
    await host.start('a');
    await host.turn([step('s', { retryPolicy: { maximumAttempts: 2 } })]);
    await host.failStep(await host.pollStep());
    await world.clock.advance(1_000);
    await host.failStep(await host.pollStep());
    const failed = await host.event('a', 'ActivityTaskFailed');
    expect(failed.activityTaskFailedEventAttributes).toMatchObject({
      retryState: RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
      failure: { message: 'declined' },
    });
    expect(await host.tryPoll()).toBeDefined();
  });

  scenario('A failure that says so is not retried (AC-8)', async (host) => {
    await host.start('a');
    await host.turn([step('s')]);
    await host.failStep(await host.pollStep(), { applicationFailureInfo: { nonRetryable: true } });
    const failed = await host.event('a', 'ActivityTaskFailed');
    expect(failed.activityTaskFailedEventAttributes?.retryState).toBe(
      RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE,
    );
  });

  scenario('A failure without its kind is refused (AC-14)', async (host) => {
    await host.start('a');
    await host.turn([step('s')]);
    const task = await host.pollStep();
    const failure = { applicationFailureInfo: null };
    expect((await refused(host.failStep(task, failure))).code).toBe('INVALID_ARGUMENT');
    await host.completeStep(task);
  });

  scenario(
    'A heartbeat writes nothing and its details reach the next attempt (AC-11)',
    async (host, world) => {
      await host.start('a');
      await host.turn([step('s', { heartbeatTimeout: durationOf(5_000) })]);
      const task = await host.pollStep();
      await world.clock.advance(4_000);
      expect(await host.heartbeat(task, 'half')).toMatchObject({ cancelRequested: false });
      await world.clock.advance(4_000);
      await host.failStep(task);
      expect(await host.names('a')).toHaveLength(5);
      await world.clock.advance(1_000);
      expect(decoded((await host.pollStep()).heartbeatDetails)).toBe('half');
    },
  );

  scenario('A missed heartbeat ends the attempt, late by nothing (AC-9)', async (host, world) => {
    await host.start('a');
    await host.turn([step('s', { heartbeatTimeout: durationOf(5_000), ...once })]);
    const task = await host.pollStep();
    await world.clock.advance(4_000);
    await host.heartbeat(task, 'half');
    await world.clock.advance(4_999);
    expect(await host.names('a')).toHaveLength(5);
    await world.clock.advance(1);
    expect(await timeoutOf(host, 'a')).toBe(TimeoutType.TIMEOUT_TYPE_HEARTBEAT);
    const event = await host.event('a', 'ActivityTaskTimedOut');
    const failure = event.activityTaskTimedOutEventAttributes?.failure;
    expect(decoded(failure?.timeoutFailureInfo?.lastHeartbeatDetails)).toBe('half');
  });

  scenario('An attempt that takes too long times out (AC-9)', async (host, world) => {
    await host.start('a');
    await host.turn([step('s', once)]);
    await host.pollStep();
    await world.clock.advance(9_999);
    expect(await host.names('a')).toHaveLength(5);
    await world.clock.advance(1);
    expect(await timeoutOf(host, 'a')).toBe(TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE);
  });

  scenario('An activity nobody starts times out in its queue (AC-9)', async (host, world) => {
    await host.start('a');
    await host.turn([step('s', { scheduleToStartTimeout: durationOf(3_000) })]);
    await world.clock.advance(2_999);
    expect(await host.names('a')).toHaveLength(5);
    await world.clock.advance(1);
    expect(await timeoutOf(host, 'a')).toBe(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START);
    expect(await host.tryPollStep()).toBeUndefined();
  });

  scenario('An activity ends when all its time is up (AC-10)', async (host, world) => {
    await host.start('a');
    await host.turn([
      step('s', {
        scheduleToCloseTimeout: durationOf(15_000),
        startToCloseTimeout: durationOf(10_000),
      }),
    ]);
    await host.pollStep();
    await world.clock.advance(11_000);
    expect((await host.pollStep()).attempt).toBe(2);
    await world.clock.advance(4_000);
    expect(await timeoutOf(host, 'a')).toBe(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
  });

  scenario('An activity that has not started is cancelled at once (AC-13)', async (host) => {
    await host.start('a');
    await host.turn([step('s')]);
    await host.signal('a');
    await host.turn([cancelStep(5)]);
    expect((await host.names('a')).slice(-3)).toEqual([
      'ActivityTaskCancelRequested',
      'ActivityTaskCanceled',
      'WorkflowTaskScheduled',
    ]);
    expect(await host.tryPollStep()).toBeUndefined();
  });

  scenario(
    'A started activity hears of its cancel by heartbeat and may report it (AC-13)',
    async (host) => {
      await host.start('a');
      await host.turn([step('s')]);
      const task = await host.pollStep();
      expect((await refused(host.cancelStep(task))).code).toBe('INVALID_ARGUMENT');
      await host.signal('a');
      await host.turn([cancelStep(5)]);
      expect(await host.heartbeat(task)).toMatchObject({ cancelRequested: true });
      await host.cancelStep(task);
      expect((await host.names('a')).slice(-3)).toEqual([
        'ActivityTaskStarted',
        'ActivityTaskCanceled',
        'WorkflowTaskScheduled',
      ]);
    },
  );

  scenario('A failure after a cancel request is not retried (AC-6)', async (host) => {
    await host.start('a');
    await host.turn([step('s')]);
    const task = await host.pollStep();
    await host.signal('a');
    await host.turn([cancelStep(5)]);
    await host.failStep(task);
    expect((await host.names('a')).slice(-2)).toEqual([
      'ActivityTaskFailed',
      'WorkflowTaskScheduled',
    ]);
  });

  scenario('An activity id that is pending already fails the task (AC-3)', async (host) => {
    await host.start('a');
    await host.turn([step('s')]);
    await host.signal('a');
    const task = await host.poll();
    expect((await refused(host.complete(task, [step('s')]))).code).toBe('INVALID_ARGUMENT');
  });

  scenario('An answer by activity id needs no token (AC-5)', async (host) => {
    await host.start('a');
    await host.turn([step('s')]);
    const named = { namespace: 'default', workflowId: 'a', activityId: 's' };
    await host.pollStep();
    await host.service.recordActivityTaskHeartbeatById(named);
    await host.service.respondActivityTaskCompletedById(named);
    expect((await host.names('a')).at(-2)).toBe('ActivityTaskCompleted');
    expect((await refused(host.service.respondActivityTaskFailedById(named))).code).toBe(
      'NOT_FOUND',
    );
  });

  scenario('The end of a run ends its activities (AC-5)', async (host) => {
    await host.start('a');
    await host.turn([step('s'), step('t')]);
    const task = await host.pollStep();
    await host.terminate('a');
    expect((await refused(host.heartbeat(task))).code).toBe('NOT_FOUND');
    expect(await host.tryPollStep()).toBeUndefined();
  });

  scenario('Ten activities that end in one turn wake the run once (WT-1)', async (host) => {
    await host.start('a');
    await host.turn(Array.from({ length: 10 }, (_, index) => step(`s${index}`)));
    const tasks = [];
    for (let index = 0; index < 10; index += 1) tasks.push(await host.pollStep());
    await Promise.all(tasks.map((task) => host.completeStep(task)));
    const names = await host.names('a', '', 15);
    expect(names.filter((name) => name === 'ActivityTaskCompleted')).toHaveLength(10);
    expect(names.filter((name) => name === 'WorkflowTaskScheduled')).toHaveLength(1);
  });

  scenario('An eager activity comes with the reply and has no row (AC-16)', async (host, world) => {
    await host.start('a');
    const reply = await host.complete(await host.poll(), [
      step('s', { requestEagerExecution: true }),
      step('t'),
    ]);
    expect(reply.activityTasks).toHaveLength(1);
    const [task] = reply.activityTasks ?? [];
    expect(task).toMatchObject({ activityId: 's', attempt: 1, activityType: { name: 'Charge' } });
    expect((await host.pollStep()).activityId).toBe('t');
    expect(await host.tryPollStep()).toBeUndefined();
    await host.completeStep(task ?? {});
    await world.clock.settle();
    await host.turn([timer('end', 1), completeRun()]);
    expect(await host.status('a')).toBe('COMPLETED');
  });

  scenario('An eager activity is not given to a call that waits for one (AC-16)', async (host) => {
    await host.start('a');
    const waiting = host.service.pollActivityTaskQueue({
      namespace: 'default',
      identity: 'another',
      taskQueue: { name: 'steps' },
    });
    const reply = await host.complete(await host.poll(), [
      step('s', { requestEagerExecution: true }),
      step('t'),
    ]);
    expect(reply.activityTasks?.map(({ activityId }) => activityId)).toEqual(['s']);
    expect((await waiting).activityId).toBe('t');
  });

  scenario('The reply with an eager activity may be lost (AC-16)', async (host, world) => {
    await host.start('a');
    await host.complete(await host.poll(), [step('s', { requestEagerExecution: true })]);
    await world.clock.advance(11_000);
    expect((await host.pollStep()).attempt).toBe(2);
  });
}

async function timeoutOf(host: Host, workflowId: string) {
  const event = await host.event(workflowId, 'ActivityTaskTimedOut');
  return event.activityTaskTimedOutEventAttributes?.failure?.timeoutFailureInfo?.timeoutType;
}
