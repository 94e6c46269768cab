import { expect } from 'vitest';
import proto from '@temporalio/proto';
import { cancelTimer, completeRun, step, timer } from '../../test/command-kit.ts';
import { durationOf, eventIds, refused, sticky } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';
import { nameOf } from '../../test/core-driver.ts';

const { TimeoutType, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;

export function describeWorkflowTasks(scenario: Scenario): void {
  scenario('A task is given to one of two polls (WT-8)', async (host) => {
    await host.start('a');
    const tasks = await Promise.all([host.tryPoll(), host.tryPoll()]);
    expect(tasks.filter((task) => task)).toHaveLength(1);
  });

  scenario('A started task is not given to a second poll (WT-8)', async (host, world) => {
    await host.start('a');
    await host.poll();
    expect(await host.tryPoll()).toBeUndefined();
    const other = await world.host();
    expect(await other.tryPoll()).toBeUndefined();
  });

  scenario('A poll that waits is given what comes (WT-8)', async (host, world) => {
    const poll = host.service.pollWorkflowTaskQueue({
      namespace: 'default',
      taskQueue: { name: 'orders' },
    });
    await world.clock.advance(30_000);
    const runId = await host.start('a');
    expect((await poll).workflowExecution).toEqual({ workflowId: 'a', runId });
  });

  scenario(
    'A poll to which nothing comes ends empty after a minute (section 14)',
    async (host, world) => {
      const poll = host.service.pollWorkflowTaskQueue({
        namespace: 'default',
        taskQueue: { name: 'orders' },
      });
      await world.clock.advance(60_000);
      expect(await poll).toEqual({});
      await host.start('a');
      expect(await host.tryPoll()).toBeDefined();
    },
  );

  scenario('A poll whose caller has gone takes no task with it (WT-8)', async (host, world) => {
    const gone = new AbortController();
    const polls = [1, 2].map(() =>
      host.service.pollWorkflowTaskQueue(
        { namespace: 'default', taskQueue: { name: 'orders' } },
        { signal: gone.signal },
      ),
    );
    await world.clock.settle();
    gone.abort();
    await Promise.all(polls);
    expect(
      await host.service.pollWorkflowTaskQueue(
        { namespace: 'default', taskQueue: { name: 'orders' } },
        { signal: gone.signal },
      ),
    ).toEqual({});
    await host.start('a');
    await world.clock.settle();
    expect(await host.tryPoll()).toBeDefined();
  });

  scenario('A poll with too little time is refused (section 15)', async (host, world) => {
    const error = await refused(
      host.service.pollWorkflowTaskQueue(
        { namespace: 'default', taskQueue: { name: 'orders' } },
        { deadline: world.clock.now + 500 },
      ),
    );
    expect(error).toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'Context timeout is too short.',
    });
  });

  scenario(
    'A poll ends in time for its caller to read the answer (section 14)',
    async (host, world) => {
      let answered = false;
      const poll = host.service
        .pollWorkflowTaskQueue(
          { namespace: 'default', taskQueue: { name: 'orders' } },
          { deadline: world.clock.now + 10_000 },
        )
        .then(() => {
          answered = true;
        });
      await world.clock.advance(9_500);
      expect(answered).toBe(true);
      await poll;
    },
  );

  scenario('The reply carries the whole history up to the started event (WT-11)', async (host) => {
    await host.start('a');
    const task = await host.poll();
    expect((task.history?.events ?? []).map(nameOf)).toEqual([
      'WorkflowExecutionStarted',
      'WorkflowTaskScheduled',
      'WorkflowTaskStarted',
    ]);
    expect(Number(task.startedEventId)).toBe(3);
    expect(Number(task.previousStartedEventId)).toBe(0);
    expect(task.attempt).toBe(1);
  });

  scenario(
    'A long history comes in pages that make the whole without a gap (WT-11)',
    async (host) => {
      await host.start('a');
      for (let index = 0; index < 12; index += 1) await host.signal('a');
      const task = await host.poll();
      const ids = eventIds(task);
      expect(ids).toHaveLength(5);
      let nextPageToken = task.nextPageToken;
      while (nextPageToken && nextPageToken.length > 0) {
        const page = await host.service.getWorkflowExecutionHistory({
          namespace: 'default',
          execution: task.workflowExecution ?? null,
          nextPageToken,
        });
        ids.push(...(page.history?.events ?? []).map((event) => Number(event.eventId)));
        nextPageToken = page.nextPageToken;
      }
      expect(ids).toEqual(Array.from({ length: 15 }, (_, index) => index + 1));
    },
    { limits: { historyPageEvents: 5 } },
  );

  scenario(
    'The pages of a later attempt end in its scheduled and started events (WT-3, WT-11)',
    async (host) => {
      await host.start('a');
      for (let index = 0; index < 4; index += 1) await host.signal('a');
      await host.failTask(await host.poll());
      const task = await host.poll();
      expect(eventIds(task)).toEqual([1, 2, 3, 4, 5]);
      const page = await host.service.getWorkflowExecutionHistory({
        namespace: 'default',
        execution: task.workflowExecution ?? null,
        nextPageToken: task.nextPageToken ?? null,
      });
      expect(eventIds(page)).toEqual([6, 7, 8, 9, 10]);
      expect(page.nextPageToken ?? []).toHaveLength(0);
      expect(await host.names('a')).toHaveLength(8);
    },
    { limits: { historyPageEvents: 5 } },
  );

  scenario('A stale token is not found and changes nothing (WT-13)', async (host, world) => {
    await host.start('a');
    const task = await host.poll();
    await world.clock.advance(10_000);
    const before = await host.names('a');
    expect(before.at(-1)).toBe('WorkflowTaskTimedOut');
    const error = await refused(host.complete(task, [completeRun()]));
    expect(error).toMatchObject({ code: 'NOT_FOUND', detail: { kind: 'notFound' } });
    expect((await refused(host.failTask(task))).code).toBe('NOT_FOUND');
    expect(await host.names('a')).toEqual(before);
    const again = await host.poll();
    await host.complete(again, [completeRun()]);
    expect((await refused(host.complete(again, [completeRun()]))).code).toBe('NOT_FOUND');
  });

  scenario('A forged token is refused, and one of another namespace (section 15)', async (host) => {
    await host.start('a');
    const task = await host.poll();
    const forged = { taskToken: new TextEncoder().encode('nonsense') };
    expect((await refused(host.complete(forged))).code).toBe('INVALID_ARGUMENT');
    expect((await refused(host.complete({}))).code).toBe('INVALID_ARGUMENT');
    await host.service.registerNamespace({
      namespace: 'other',
      workflowExecutionRetentionPeriod: durationOf(86_400_000),
    });
    expect((await refused(host.complete(task, [], { namespace: 'other' }))).message).toBe(
      'Operation requested with a token from a different namespace.',
    );
  });

  scenario(
    'A close while a signal waits is refused as UnhandledCommand, and the next task has the signal (WT-16)',
    async (host) => {
      await host.start('a');
      const task = await host.poll();
      await host.signal('a');
      const error = await refused(host.complete(task, [completeRun()]));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'UnhandledCommand' });
      expect(await host.names('a', '', 4)).toEqual([
        'WorkflowTaskFailed',
        'WorkflowExecutionSignaled',
        'WorkflowTaskScheduled',
      ]);
      await host.turn([completeRun()]);
      expect(await host.status('a')).toBe('COMPLETED');
    },
  );

  scenario(
    'After a refused close new signals wait their turn while a task is started (WT-17)',
    async (host) => {
      await host.start('a');
      const task = await host.poll();
      await host.signal('a');
      await refused(host.complete(task, [completeRun()]));
      await host.poll();
      const error = await refused(host.signal('a'));
      expect(error).toMatchObject({
        code: 'RESOURCE_EXHAUSTED',
        detail: { kind: 'resourceExhausted', cause: 'busyWorkflow' },
      });
    },
  );

  scenario(
    'Cancelling a timer that has fired unseen takes its event away and lets the run close (WT-18)',
    async (host, world) => {
      await host.start('a');
      await host.turn([timer('t', 5_000)]);
      await host.signal('a');
      const task = await host.poll();
      await world.clock.advance(5_000);
      await host.complete(task, [cancelTimer('t'), completeRun()]);
      expect((await host.names('a')).slice(-3)).toEqual([
        'WorkflowTaskCompleted',
        'TimerCanceled',
        'WorkflowExecutionCompleted',
      ]);
    },
  );

  scenario(
    'A bad command fails the task, takes every command back and asks again (WT-19)',
    async (host) => {
      await host.start('a');
      const task = await host.poll();
      const bad = step('two', { activityType: null });
      const error = await refused(host.complete(task, [timer('t', 1_000), bad]));
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toMatch(/^BadScheduleActivityAttributes: /);
      expect(await host.names('a', '', 4)).toEqual(['WorkflowTaskFailed']);
      expect((await host.poll()).attempt).toBe(2);
      const failed = await host.event('a', 'WorkflowTaskFailed');
      expect(failed.workflowTaskFailedEventAttributes?.cause).toBe(
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
      );
    },
  );

  scenario('A bad command on a later attempt writes nothing (WT-19)', async (host) => {
    await host.start('a');
    await host.failTask(await host.poll());
    const task = await host.poll();
    expect(task.attempt).toBe(2);
    const before = await host.names('a');
    expect((await refused(host.complete(task, [step('s', { activityType: null })]))).code).toBe(
      'INVALID_ARGUMENT',
    );
    expect(await host.names('a')).toEqual(before);
  });

  scenario('A close that is not the last command is refused (WT-15)', async (host) => {
    await host.start('a');
    const task = await host.poll();
    const error = await refused(host.complete(task, [completeRun(), timer('t', 1)]));
    expect(error.code).toBe('INVALID_ARGUMENT');
    await host.complete(task, [completeRun()]);
  });

  scenario(
    'A later attempt shows its scheduled and started events without writing them (WT-3)',
    async (host) => {
      await host.start('a');
      await host.failTask(await host.poll());
      expect(await host.names('a')).toHaveLength(4);
      const task = await host.poll();
      expect(eventIds(task)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(await host.names('a')).toHaveLength(4);
      await host.complete(task, [completeRun()]);
      expect(await host.names('a', '', 4)).toEqual([
        'WorkflowTaskFailed',
        'WorkflowTaskScheduled',
        'WorkflowTaskStarted',
        'WorkflowTaskCompleted',
        'WorkflowExecutionCompleted',
      ]);
    },
  );

  scenario(
    'What came since a later attempt was scheduled makes it a task of its own (WT-9)',
    async (host) => {
      await host.start('a');
      await host.failTask(await host.poll());
      await host.signal('a');
      const task = await host.poll();
      expect(task.attempt).toBe(1);
      expect(await host.names('a', '', 5)).toEqual([
        'WorkflowExecutionSignaled',
        'WorkflowTaskScheduled',
        'WorkflowTaskStarted',
      ]);
      expect(eventIds(task)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    },
  );

  scenario('From attempt 4 on a task waits before it is given out (WT-2)', async (host, world) => {
    await host.start('a');
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const task = await host.poll();
      expect(task.attempt).toBe(attempt);
      await host.failTask(task);
    }
    expect(await host.tryPoll()).toBeUndefined();
    await world.clock.advance(4_999);
    expect(await host.tryPoll()).toBeUndefined();
    await world.clock.advance(1);
    expect((await host.poll()).attempt).toBe(4);
  });

  scenario(
    'The task that follows comes with the reply when it is asked back (WT-23)',
    async (host) => {
      await host.start('a');
      const task = await host.poll();
      await host.signal('a');
      const reply = await host.complete(task, [], { returnNewWorkflowTask: true });
      const next = reply.workflowTask ?? {};
      expect(eventIds(next)).toEqual([4, 5, 6, 7]);
      expect(Number(next.previousStartedEventId)).toBe(3);
      expect(await host.tryPoll()).toBeUndefined();
      await host.complete(next, [completeRun()]);
      expect(await host.status('a')).toBe('COMPLETED');
    },
  );

  scenario('No task comes with the reply when there is none (WT-23)', async (host) => {
    await host.start('a');
    const reply = await host.complete(await host.poll(), [timer('t', 60_000)], {
      returnNewWorkflowTask: true,
    });
    expect(reply.workflowTask).toBeUndefined();
  });

  scenario('A forced task follows without anything new (WT-22)', async (host) => {
    await host.start('a');
    const task = await host.poll();
    await host.complete(task, [], { forceCreateNewWorkflowTask: true });
    const next = await host.poll();
    expect(next.scheduledTime).toEqual(task.scheduledTime);
  });

  scenario(
    'Events that come while a task is started are written after its completion (WT-33)',
    async (host) => {
      await host.start('a');
      const task = await host.poll();
      await host.signal('a', 'one');
      await host.signal('a', 'two');
      expect(await host.names('a')).toHaveLength(3);
      await host.complete(task, [step('s')]);
      expect(await host.names('a', '', 4)).toEqual([
        'WorkflowTaskCompleted',
        'ActivityTaskScheduled',
        'WorkflowExecutionSignaled',
        'WorkflowExecutionSignaled',
        'WorkflowTaskScheduled',
      ]);
    },
  );

  scenario('A worker with a sticky queue is sent what is new (WT-5, WT-11)', async (host) => {
    await host.start('a');
    await host.complete(await host.poll(), [], sticky('sticky-1'));
    await host.signal('a');
    expect(await host.tryPoll()).toBeUndefined();
    const task = await host.stickyPoll('sticky-1');
    expect(eventIds(task ?? {})).toEqual([4, 5, 6, 7]);
    expect(Number(task?.previousStartedEventId)).toBe(3);
  });

  scenario(
    'A sticky queue nobody polls times out, and the normal queue gets the whole history (WT-29)',
    async (host, world) => {
      await host.start('a');
      await host.complete(await host.poll(), [], sticky('sticky-1', 5_000));
      await host.signal('a');
      await world.clock.advance(4_999);
      expect(await host.tryPoll()).toBeUndefined();
      await world.clock.advance(1);
      const task = await host.poll();
      expect(task.attempt).toBe(1);
      expect(eventIds(task)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      const timedOut = await host.event('a', 'WorkflowTaskTimedOut');
      expect(timedOut.workflowTaskTimedOutEventAttributes?.timeoutType).toBe(
        TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START,
      );
      expect(await host.stickyPoll('sticky-1')).toBeUndefined();
    },
  );

  scenario(
    'A sticky queue without a poller for 10 s is passed over (WT-6)',
    async (host, world) => {
      await host.start('a');
      await host.complete(await host.poll(), [], sticky('sticky-1', 0));
      expect(await host.stickyPoll('sticky-1')).toBeUndefined();
      await world.clock.advance(9_999);
      await host.signal('a');
      const lacking = (await host.stickyPoll('sticky-1')) ?? {};
      expect(eventIds(lacking)).toEqual([4, 5, 6, 7]);
      await host.complete(lacking, [], sticky('sticky-1', 0));
      await world.clock.advance(10_000);
      await host.signal('a');
      const task = await host.poll();
      expect(eventIds(task)[0]).toBe(1);
      await host.complete(task);
      await host.signal('a');
      expect(await host.tryPoll()).toBeDefined();
    },
  );

  scenario('A poll that waits is a poller, however long (WT-6)', async (host, world) => {
    await host.start('a');
    await host.complete(await host.poll(), [], sticky('sticky-1', 0));
    const waiting = host.service.pollWorkflowTaskQueue({
      namespace: 'default',
      taskQueue: { name: 'sticky-1', kind: 2, normalName: 'orders' },
    });
    await world.clock.advance(30_000);
    await host.signal('a');
    expect(eventIds(await waiting)).toEqual([4, 5, 6, 7]);
  });

  scenario(
    'What lies in a sticky queue that was left moves to the normal one (WT-6)',
    async (host, world) => {
      await host.start('a');
      await host.complete(await host.poll(), [], sticky('sticky-1', 0));
      await host.signal('a');
      expect(await host.tryPoll()).toBeUndefined();
      await world.clock.advance(11_000);
      expect(eventIds(await host.poll())[0]).toBe(1);
    },
  );

  scenario(
    'What lies in the sticky queue of a dead process moves to the normal one (WT-6)',
    async (host, world) => {
      const other = await world.host();
      await host.start('a');
      await other.complete(await other.poll(), [], sticky('sticky-1', 0));
      await world.clock.advance(2_000);
      await other.stickyPoll('sticky-1');
      await host.signal('a');
      expect(await host.tryPoll()).toBeUndefined();
      await other.vanish();
      await world.clock.advance(2_000);
      expect(eventIds(await host.poll())[0]).toBe(1);
    },
  );

  scenario('A completion without sticky attributes clears stickiness (WT-21)', async (host) => {
    await host.start('a');
    await host.complete(await host.poll(), [], sticky('sticky-1'));
    await host.signal('a');
    const task = await host.stickyPoll('sticky-1');
    await host.complete(task ?? {}, []);
    await host.signal('a');
    expect(await host.stickyPoll('sticky-1')).toBeUndefined();
    expect(eventIds(await host.poll())).toHaveLength(11);
  });

  scenario('A worker that forgets a run frees its queued task (WT-7)', async (host) => {
    await host.start('a');
    await host.complete(await host.poll(), [], sticky('sticky-1'));
    await host.signal('a');
    await host.service.resetStickyTaskQueue({
      namespace: 'default',
      execution: { workflowId: 'a' },
    });
    expect(await host.stickyPoll('sticky-1')).toBeUndefined();
    expect(eventIds(await host.poll())).toHaveLength(7);
  });

  scenario('A failed task of a sticky worker goes to the normal queue (WT-28)', async (host) => {
    await host.start('a');
    await host.complete(await host.poll(), [], sticky('sticky-1'));
    await host.signal('a');
    await host.failTask((await host.stickyPoll('sticky-1')) ?? {});
    expect((await host.poll()).attempt).toBe(1);
  });
}
