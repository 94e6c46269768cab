import { expect } from 'vitest';
import { cancelRun, completeRun, continueAsNew, failRun } from '../../test/command-kit.ts';
import { decoded, durationOf, refused } from '../../test/engine-host.ts';
import { Hold, StoreTap } from '../../test/store-tap.ts';
import type { Scenario } from '../../test/engine-world.ts';

const retryPolicy = { initialInterval: durationOf(10_000), maximumAttempts: 3 };

export function describeChains(scenario: Scenario): void {
  scenario(
    'Continue-as-new closes one run and starts the next in one commit (CN-1)',
    async (host) => {
      const first = await host.start('a', { workflowExecutionTimeout: durationOf(600_000) });
      await host.turn([continueAsNew()]);
      expect(await host.status('a', first)).toBe('CONTINUED_AS_NEW');
      const closed = await host.event('a', 'WorkflowExecutionContinuedAsNew', first);
      const { workflowExecutionInfo, workflowExtendedInfo } = await host.describe('a');
      expect(workflowExecutionInfo?.execution?.runId).toBe(
        closed.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId,
      );
      expect(workflowExecutionInfo?.firstRunId).toBe(first);
      const before = (await host.describe('a', first)).workflowExtendedInfo;
      expect(workflowExtendedInfo?.executionExpirationTime).toEqual(
        before?.executionExpirationTime,
      );
      const [started] = await host.history('a');
      expect(started?.workflowExecutionStartedEventAttributes).toMatchObject({
        continuedExecutionRunId: first,
        firstExecutionRunId: first,
      });
      const task = await host.poll();
      expect(task.workflowExecution?.runId).not.toBe(first);
      await host.complete(task, [completeRun()]);
    },
  );

  scenario(
    'A cancel for a workflow id reaches the run that goes on meanwhile (SG-5)',
    async (other, world) => {
      const tap = new StoreTap();
      const host = await world.host({ wrap: tap.wrap });
      await other.start('a');
      const task = await other.poll();
      const sent = new Hold();
      tap.before = () => sent.released;
      const cancelled = host.cancel('a');
      await world.clock.settle();
      await other.complete(task, [continueAsNew()]);
      sent.release();
      await cancelled;
      expect(await other.names('a')).toContain('WorkflowExecutionCancelRequested');
    },
  );

  scenario(
    'Continue-as-new with a retry policy or cron schedule that cannot be is a bad command (WT-19)',
    async (host) => {
      const runId = await host.start('a');
      for (const attributes of [
        { retryPolicy: { backoffCoefficient: 0.5, maximumAttempts: 2 } },
        { cronSchedule: 'never' },
      ]) {
        const refusal = await refused(
          host.complete(await host.poll(), [continueAsNew(attributes)]),
        );
        expect(refusal).toMatchObject({ code: 'INVALID_ARGUMENT' });
        expect(refusal.message).toMatch(/^BadContinueAsNewAttributes: invalid /);
      }
      expect(await host.status('a', runId)).toBe('RUNNING');
    },
  );

  scenario('What continues as new runs no longer than its execution (CN-1)', async (host) => {
    await host.start('a', { workflowExecutionTimeout: durationOf(600_000) });
    await host.turn([continueAsNew({ workflowRunTimeout: durationOf(900_000) })]);
    const [started] = await host.history('a');
    expect(started?.workflowExecutionStartedEventAttributes).toMatchObject({
      workflowRunTimeout: durationOf(600_000),
    });
  });

  scenario('A signal that comes as a run continues as new is not lost (CN-1)', async (host) => {
    await host.start('a');
    const task = await host.poll();
    await Promise.all([host.complete(task, [continueAsNew()]), host.signal('a')].map(quiet));
    const names = await host.names('a');
    const old = await host.names('a', task.workflowExecution?.runId ?? '');
    expect([...names, ...old]).toContain('WorkflowExecutionSignaled');
  });

  scenario('A signal without a run id finds the run that has just begun (SG-2)', async (host) => {
    await host.start('a');
    const task = await host.poll();
    const done = host.complete(task, [continueAsNew()]);
    // The commit is under way now.
    await new Promise((resolve) => setImmediate(resolve));
    await host.signal('a');
    await done;
    expect(await host.names('a')).toContain('WorkflowExecutionSignaled');
  });

  scenario(
    'A failed run with a retry policy starts again after its backoff (CN-2)',
    async (host, world) => {
      const first = await host.start('a', { retryPolicy });
      await host.turn([failRun('one')]);
      expect(await host.status('a', first)).toBe('FAILED');
      expect(await host.status('a')).toBe('RUNNING');
      const failed = await host.event('a', 'WorkflowExecutionFailed', first);
      const runId = (await host.describe('a')).workflowExecutionInfo?.execution?.runId;
      expect(failed.workflowExecutionFailedEventAttributes?.newExecutionRunId).toBe(runId);
      await world.clock.advance(9_999);
      expect(await host.tryPoll()).toBeUndefined();
      await world.clock.advance(1);
      const [started] = (await host.poll()).history?.events ?? [];
      expect(started?.workflowExecutionStartedEventAttributes).toMatchObject({
        attempt: 2,
        continuedFailure: { message: 'one' },
      });
    },
  );

  scenario('A run is retried as often as its policy says (CN-2)', async (host, world) => {
    await host.start('a', { retryPolicy });
    for (const wait of [10_000, 20_000]) {
      await host.turn([failRun()]);
      await world.clock.advance(wait);
    }
    await host.turn([failRun()]);
    expect(await host.status('a')).toBe('FAILED');
    await world.clock.advance(600_000);
    expect(await host.tryPoll()).toBeUndefined();
  });

  scenario('A run that was cancelled or terminated is not retried (CN-2)', async (host) => {
    await host.start('a', { retryPolicy });
    await host.cancel('a');
    await host.turn([cancelRun()]);
    expect(await host.status('a')).toBe('CANCELED');
    await host.start('b', { retryPolicy });
    await host.terminate('b');
    expect(await host.status('b')).toBe('TERMINATED');
  });

  scenario('A run that timed out is retried (CN-4)', async (host, world) => {
    const first = await host.start('a', { retryPolicy, workflowRunTimeout: durationOf(5_000) });
    await world.clock.advance(5_000);
    expect(await host.status('a', first)).toBe('TIMED_OUT');
    expect(await host.status('a')).toBe('RUNNING');
    await world.clock.advance(10_000);
    expect(await host.tryPoll()).toBeDefined();
  });

  scenario('The execution timeout ends the whole chain (CN-4)', async (host, world) => {
    await host.start('a', { retryPolicy, workflowExecutionTimeout: durationOf(15_000) });
    await host.turn([failRun()]);
    await world.clock.advance(15_000);
    expect(await host.status('a')).toBe('TIMED_OUT');
    await world.clock.advance(60_000);
    expect(await host.listed("ExecutionStatus = 'Running'")).toEqual([]);
  });

  scenario(
    'Cron starts the next run at its time with the last result (CN-3)',
    async (host, world) => {
      const first = await host.start('a', { cronSchedule: '@every 60s' });
      expect(await host.tryPoll()).toBeUndefined();
      await world.clock.advance(60_000);
      await host.turn([completeRun('one')]);
      expect(await host.status('a', first)).toBe('COMPLETED');
      expect(await host.tryPoll()).toBeUndefined();
      await world.clock.advance(60_000);
      const [started] = (await host.poll()).history?.events ?? [];
      const attributes = started?.workflowExecutionStartedEventAttributes;
      expect(decoded(attributes?.lastCompletionResult)).toBe('one');
      expect(attributes?.continuedExecutionRunId).toBe(first);
    },
  );

  scenario('Cron goes on after a failure and skips what it missed (CN-3)', async (host, world) => {
    await host.start('a', { cronSchedule: '@every 60s' });
    await world.clock.advance(60_000);
    const task = await host.poll();
    await host.failTask(task);
    await world.clock.sleep(150_000);
    await host.turn([failRun()]);
    const { count } = await host.service.countWorkflowExecutions({ namespace: 'default' });
    expect(Number(count)).toBe(2);
    await world.clock.advance(60_000);
    expect(await host.tryPoll()).toBeDefined();
  });
}

function quiet(call: Promise<unknown>): Promise<unknown> {
  return call.catch(() => undefined);
}
