import { expect } from 'vitest';
import proto from '@temporalio/proto';
import { child, completeRun, continueAsNew, failRun, timer } from '../../test/command-kit.ts';
import { decoded, durationOf } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario, World } from '../../test/engine-world.ts';
import { Hold, StoreTap } from '../../test/store-tap.ts';

const { ParentClosePolicy, StartChildWorkflowExecutionFailedCause } = proto.temporal.api.enums.v1;
const abandon = ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON;
const requestCancel = ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL;

export function describeChildren(scenario: Scenario): void {
  scenario('A child starts, its parent knows it, and then it has a task (CH-2)', async (host) => {
    await host.start('parent');
    await host.turn([child('kid')]);
    expect(await host.names('parent', '', 5)).toEqual([
      'StartChildWorkflowExecutionInitiated',
      'ChildWorkflowExecutionStarted',
      'WorkflowTaskScheduled',
    ]);
    expect(await host.names('kid')).toEqual(['WorkflowExecutionStarted', 'WorkflowTaskScheduled']);
    const [started] = await host.history('kid');
    expect(started?.workflowExecutionStartedEventAttributes).toMatchObject({
      parentWorkflowExecution: { workflowId: 'parent' },
      rootWorkflowExecution: { workflowId: 'parent' },
    });
    const { pendingChildren, workflowExecutionInfo } = await host.describe('parent');
    expect(pendingChildren).toMatchObject([{ workflowId: 'kid', workflowTypeName: 'Parcel' }]);
    expect(workflowExecutionInfo?.parentExecution).toBeFalsy();
    expect((await host.describe('kid')).workflowExecutionInfo?.parentExecution?.workflowId).toBe(
      'parent',
    );
  });

  scenario('The parent learns of its child what it was asked for (CH-3)', async (host) => {
    await family(host);
    await host.turn([completeRun('sent')], 'parcels');
    expect((await host.names('parent')).at(-1)).toBe('ChildWorkflowExecutionCompleted');
    const event = await host.event('parent', 'ChildWorkflowExecutionCompleted');
    const attributes = event.childWorkflowExecutionCompletedEventAttributes;
    expect(decoded(attributes?.result)).toBe('sent');
    expect((await host.describe('parent')).pendingChildren).toEqual([]);
  });

  scenario(
    'A child that is let go by its parent has its first task, whoever dies meanwhile (CH-4)',
    async (host, world) => {
      const tap = new StoreTap();
      const dying = await world.host({ wrap: tap.wrap });
      await host.start('parent');
      const task = await dying.poll();
      let commits = 0;
      tap.before = () => {
        commits += 1;
        // The parent's end, the child's start; and the child is never told.
        return commits <= 2 ? undefined : new Promise(() => undefined);
      };
      await dying.complete(task, [child('kid', { parentClosePolicy: abandon }), completeRun()]);
      await world.clock.settle();
      await dying.vanish();
      await world.clock.advance(20_000);
      expect(await host.poll('parcels')).toBeDefined();
    },
  );

  for (const [policy, status] of [
    [0, 'TERMINATED'],
    [requestCancel, 'RUNNING'],
  ] as const) {
    scenario(
      `A child started by a process that died before its parent knew is ${status} once that has closed (CH-4)`,
      async (host, world) => {
        const tap = new StoreTap();
        const dying = await world.host({ wrap: tap.wrap });
        await host.start('parent');
        const task = await dying.poll();
        let commits = 0;
        tap.before = () => {
          commits += 1;
          // The parent's decision, the child's start; and the parent is never told.
          return commits <= 2 ? undefined : new Promise(() => undefined);
        };
        await dying.complete(task, [child('kid', { parentClosePolicy: policy })]);
        await world.clock.settle();
        await dying.vanish();
        expect(await host.status('kid')).toBe('RUNNING');
        await host.terminate('parent');
        await world.clock.advance(20_000);
        expect(await host.status('kid')).toBe(status);
        if (policy === requestCancel) {
          expect(await host.names('kid')).toContain('WorkflowExecutionCancelRequested');
          expect(await host.poll('parcels')).toBeDefined();
        }
      },
    );
  }

  scenario('The parent learns of its child that it failed (CH-3)', async (host) => {
    await family(host);
    await host.turn([failRun('lost')], 'parcels');
    const event = await host.event('parent', 'ChildWorkflowExecutionFailed');
    expect(event.childWorkflowExecutionFailedEventAttributes?.failure?.message).toBe('lost');
  });

  scenario('The parent learns of its child that it was terminated (CH-3)', async (host, world) => {
    await family(host);
    await host.terminate('kid');
    await world.clock.settle();
    expect((await host.names('parent')).at(-1)).toBe('ChildWorkflowExecutionTerminated');
  });

  scenario('The parent learns of its child that its time was up (CH-3)', async (host, world) => {
    await family(host, { workflowRunTimeout: durationOf(5_000) });
    await world.clock.advance(5_000);
    expect((await host.names('parent')).at(-1)).toBe('ChildWorkflowExecutionTimedOut');
  });

  scenario(
    'The parent learns of a child that was deleted while it ran (CH-3, DL-1)',
    async (host, world) => {
      await family(host);
      await host.delete('kid');
      await world.clock.settle();
      expect((await host.names('parent')).at(-1)).toBe('ChildWorkflowExecutionTerminated');
    },
  );

  scenario('Only the end of the chain closes the child (CH-3)', async (host) => {
    await family(host);
    const before = await host.names('parent');
    const next = { workflowType: { name: 'Parcel' }, taskQueue: { name: 'parcels' } };
    await host.turn([continueAsNew(next)], 'parcels');
    expect(await host.names('parent')).toEqual(before);
    await host.turn([completeRun()], 'parcels');
    expect((await host.names('parent')).at(-1)).toBe('ChildWorkflowExecutionCompleted');
  });

  scenario(
    'A child that is retried closes with its last attempt (CH-3, CN-2)',
    async (host, world) => {
      await family(host, {
        retryPolicy: { initialInterval: durationOf(1_000), maximumAttempts: 2 },
      });
      await host.turn([failRun()], 'parcels');
      expect((await host.names('parent')).at(-1)).not.toBe('ChildWorkflowExecutionFailed');
      await world.clock.advance(1_000);
      await host.turn([failRun()], 'parcels');
      expect((await host.names('parent')).at(-1)).toBe('ChildWorkflowExecutionFailed');
    },
  );

  scenario('A child whose id is taken fails to start (CH-1)', async (host) => {
    const runId = await host.start('kid');
    await host.start('parent', { taskQueue: { name: 'parents' } });
    await host.turn([child('kid')], 'parents');
    const event = await host.event('parent', 'StartChildWorkflowExecutionFailed');
    expect(event.startChildWorkflowExecutionFailedEventAttributes?.cause).toBe(
      StartChildWorkflowExecutionFailedCause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS,
    );
    expect((await host.describe('kid')).workflowExecutionInfo?.execution?.runId).toBe(runId);
    expect((await host.names('parent')).at(-1)).toBe('WorkflowTaskScheduled');
  });

  scenario('A child ends with its parent by default (CH-4)', async (host, world) => {
    await family(host);
    await host.turn([completeRun()]);
    await world.clock.settle();
    expect(await host.status('kid')).toBe('TERMINATED');
    expect((await host.names('parent')).at(-1)).toBe('WorkflowExecutionCompleted');
  });

  scenario('A child may be asked to end with its parent (CH-4)', async (host, world) => {
    await family(host, { parentClosePolicy: requestCancel });
    await host.turn([completeRun()]);
    await world.clock.settle();
    expect(await host.status('kid')).toBe('RUNNING');
    const asked = await host.event('kid', 'WorkflowExecutionCancelRequested');
    expect(asked.workflowExecutionCancelRequestedEventAttributes).toMatchObject({
      cause: '',
      identity: 'history-service',
      externalWorkflowExecution: { workflowId: 'parent' },
    });
  });

  scenario('A child may outlive its parent (CH-4)', async (host, world) => {
    await family(host, { parentClosePolicy: abandon });
    await host.turn([completeRun()]);
    await world.clock.settle();
    expect(await host.names('kid')).toHaveLength(2);
    await host.turn([completeRun()], 'parcels');
    expect(await host.status('kid')).toBe('COMPLETED');
  });

  scenario('The policy holds for the run that the child has become (CH-4)', async (host, world) => {
    await family(host);
    const next = { workflowType: { name: 'Parcel' }, taskQueue: { name: 'parcels' } };
    await host.turn([continueAsNew(next)], 'parcels');
    await host.terminate('parent');
    await world.clock.settle();
    expect(await host.status('kid')).toBe('TERMINATED');
  });

  for (const [parentClosePolicy, what, last] of [
    [0, 'ended', 'WorkflowExecutionTerminated'],
    [requestCancel, 'asked to end', 'WorkflowExecutionCancelRequested'],
  ] as const) {
    scenario(
      `A child that becomes another run while its parent's close reaches it is ${what} (CH-4)`,
      async (other, world) => {
        const tap = new StoreTap();
        const host = await world.host({ wrap: tap.wrap });
        await family(host, { parentClosePolicy });
        const task = await other.poll('parcels');
        const told = new Hold();
        let commits = 0;
        tap.before = () => ((commits += 1) === 2 ? told.released : undefined);
        await host.terminate('parent');
        await world.clock.settle();
        expect(commits).toBe(2);
        const next = { workflowType: { name: 'Parcel' }, taskQueue: { name: 'parcels' } };
        await other.complete(task, [continueAsNew(next)]);
        told.release();
        await world.clock.settle();
        expect(await other.names('kid')).toContain(last);
      },
    );
  }

  scenario(
    'A child of the same id that another has started is left alone (CH-4)',
    async (host, world) => {
      await family(host);
      await host.turn([completeRun()], 'parcels');
      await host.start('kid');
      await host.terminate('parent');
      await world.clock.settle();
      expect(await host.status('kid')).toBe('RUNNING');
    },
  );

  for (const [policy, status] of [
    [0, 'TERMINATED'],
    [requestCancel, 'RUNNING'],
  ] as const) {
    scenario(
      `A child started after another has used up the message of its parent's close is ${status} (CH-4)`,
      async (host, world) => {
        const tap = new StoreTap();
        const slow = await world.host({ wrap: tap.wrap });
        await host.start('parent');
        const task = await slow.poll();
        let open = (): void => undefined;
        const opened = new Promise<void>((resolve) => {
          open = resolve;
        });
        let commits = 0;
        tap.before = async () => {
          commits += 1;
          if (commits === 2) await opened;
          // The decision of the parent, the child's start; and nothing that follows it.
          return commits <= 2 ? undefined : new Promise(() => undefined);
        };
        await slow.complete(task, [child('kid', { parentClosePolicy: policy })]);
        await host.terminate('parent');
        // The other process finds the message overdue, and the parent closed.
        await world.clock.advance(10_000);
        open();
        await world.clock.settle();
        await slow.vanish();
        expect(await host.status('kid')).toBe('RUNNING');
        await world.clock.advance(20_000);
        expect(await host.status('kid')).toBe(status);
        if (policy === requestCancel) expect(await host.poll('parcels')).toBeDefined();
      },
    );
  }

  scenario(
    'A child told to its parent as its commit goes by ends with it (CH-4)',
    async (host, world) => {
      await host.start('parent');
      await host.turn([child('kid'), completeRun()]);
      await world.clock.advance(10_000);
      expect(await host.listed("ExecutionStatus = 'Running'")).toEqual([]);
    },
  );

  scenario(
    'An abandoned child of a parent that closes at once starts (CH-4)',
    async (host, world) => {
      await host.start('parent');
      await host.turn([child('kid', { parentClosePolicy: abandon }), completeRun()]);
      await world.clock.advance(10_000);
      expect(await host.listed("ExecutionStatus = 'Running'")).toEqual(['kid']);
      expect(await host.tryPoll('parcels')).toBeDefined();
    },
  );

  scenario(
    'A message that its process left is delivered by another (CH-1)',
    async (host, world) => {
      const { dead } = await withDyingProcess(world, async (dying) => {
        await dying.start('parent');
        await dying.turn([timer('t', 1)]);
        await dying.signal('parent');
        const task = await dying.poll();
        return () => dying.complete(task, [child('kid')]);
      });
      expect(dead).toBe(true);
      expect(await host.names('parent')).not.toContain('ChildWorkflowExecutionStarted');
      await world.clock.advance(10_000);
      expect(await host.names('parent')).toContain('ChildWorkflowExecutionStarted');
      expect(await host.names('kid')).toHaveLength(2);
    },
  );

  scenario(
    'A child of which its parent has not heard is ended when that parent is deleted (CH-4, DL-1)',
    async (host, world) => {
      const prepare = async (dying: Host): Promise<() => Promise<unknown>> => {
        await dying.start('parent');
        const task = await dying.poll();
        return () => dying.complete(task, [child('kid')]);
      };
      // The command of the parent is one commit, the start of its child the next.
      const { dead } = await withDyingProcess(world, prepare, 2);
      expect(dead).toBe(true);
      expect(await host.names('kid')).toEqual(['WorkflowExecutionStarted']);
      await host.delete('parent');
      await world.clock.advance(10_000);
      expect(await host.status('kid')).toBe('TERMINATED');
    },
  );

  scenario('Twenty children close, each once (CH-3)', async (host, world) => {
    const count = 20;
    await host.start('parent');
    await host.turn(Array.from({ length: count }, (_, index) => child(`kid${index}`)));
    for (let index = 0; index < count; index += 1) await host.turn([completeRun()], 'parcels');
    await world.clock.settle();
    const names = await host.names('parent');
    for (const name of ['ChildWorkflowExecutionStarted', 'ChildWorkflowExecutionCompleted']) {
      expect(names.filter((candidate) => candidate === name)).toHaveLength(count);
    }
  });
}

async function family(host: Host, attributes: Parameters<typeof child>[1] = {}): Promise<void> {
  await host.start('parent');
  await host.turn([child('kid', attributes)]);
}

/** A process whose last commits are written, and that is gone before anything can follow them. */
async function withDyingProcess(
  world: World,
  prepare: (dying: Host) => Promise<() => Promise<unknown>>,
  commits = 1,
): Promise<{ readonly dead: boolean }> {
  let left = Infinity;
  let dead = false;
  const tap = new StoreTap();
  const host = await world.host({ wrap: tap.wrap });
  tap.after = async () => {
    left -= 1;
    if (left > 0) return;
    dead = true;
    await host.vanish();
    await new Promise(() => undefined);
  };
  const last = await prepare(host);
  left = commits;
  void last();
  await world.clock.settle();
  return { dead };
}
