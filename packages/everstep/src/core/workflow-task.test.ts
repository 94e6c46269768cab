import { describe, expect, it } from 'vitest';
import { CoreDriver, payloadsOf, refusalOf } from '../../test/core-driver.ts';
import { CommandType } from './proto.ts';
import type { Command } from './proto.ts';
import { durationOf, numberOf } from './time.ts';

const complete: Command = {
  commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  completeWorkflowExecutionCommandAttributes: { result: payloadsOf('done') },
};
const timer = (timerId: string, ms = 60_000): Command => ({
  commandType: CommandType.COMMAND_TYPE_START_TIMER,
  startTimerCommandAttributes: { timerId, startToFireTimeout: durationOf(ms) },
});
const cancelTimer = (timerId: string): Command => ({
  commandType: CommandType.COMMAND_TYPE_CANCEL_TIMER,
  cancelTimerCommandAttributes: { timerId },
});
const badTimer: Command = { commandType: CommandType.COMMAND_TYPE_START_TIMER };
const sticky = {
  stickyAttributes: {
    workerTaskQueue: { name: 'sticky-q' },
    scheduleToStartTimeout: durationOf(5_000),
  },
};

describe('schedule', () => {
  it('while one is pending, a signal schedules no second workflow task (WT-1)', () => {
    const run = new CoreDriver();
    run.signal();
    run.signal();
    expect(run.names()).toEqual([
      'WorkflowExecutionStarted',
      'WorkflowTaskScheduled',
      'WorkflowExecutionSignaled',
      'WorkflowExecutionSignaled',
    ]);
  });

  it('a scheduled task goes to the queue of the run', () => {
    const run = new CoreDriver();
    expect(run.tasks).toEqual([
      {
        kind: 'workflow',
        taskQueue: 'q',
        normalTaskQueue: '',
        scheduledEventId: 2,
        stamp: 0,
        type: 'order',
      },
    ]);
  });

  it('the timeout is 10 s, at most 120 s and at most that of the run (WT-2)', () => {
    const timeoutOf = (request: object) =>
      new CoreDriver({ request }).state.workflowTask?.timeoutMs;
    expect(timeoutOf({})).toBe(10_000);
    expect(timeoutOf({ workflowTaskTimeout: durationOf(600_000) })).toBe(120_000);
    expect(timeoutOf({ workflowRunTimeout: durationOf(3_000) })).toBe(3_000);
  });

  it('from attempt 4 on the next attempt waits 5 s, then 10 s, and the wake-up dispatches it (WT-2)', () => {
    const run = new CoreDriver();
    for (let attempt = 1; attempt < 4; attempt += 1) {
      expect(run.tasks).toHaveLength(1);
      run.poll();
      run.fail();
    }
    expect(run.state.workflowTask?.attempt).toBe(4);
    expect(run.tasks).toEqual([]);
    const before = run.now;
    run.wake();
    expect(run.now - before).toBe(5_000);
    expect(run.tasks).toHaveLength(1);
    run.poll();
    run.fail();
    expect((run.state.workflowTask?.dispatchTime ?? 0) - run.now).toBe(10_000);
  });

  it('an attempt above 1 is not written and appears to the worker as the next two ids (WT-3)', () => {
    const run = new CoreDriver();
    run.poll();
    run.fail();
    expect(run.wrote()).toEqual(['WorkflowTaskFailed']);
    const { transientEvents, workflowTask } = run.poll();
    expect(run.wrote()).toEqual([]);
    expect(workflowTask.attempt).toBe(2);
    expect(transientEvents.map((event) => numberOf(event.eventId))).toEqual([5, 6]);
  });

  it('an attempt above 1 that completes gets its events at last (WT-3)', () => {
    const run = new CoreDriver();
    run.poll();
    run.fail();
    run.turn([complete]);
    expect(run.names(5)).toEqual([
      'WorkflowTaskScheduled',
      'WorkflowTaskStarted',
      'WorkflowTaskCompleted',
      'WorkflowExecutionCompleted',
    ]);
    expect(run.event('WorkflowTaskScheduled').workflowTaskScheduledEventAttributes?.attempt).toBe(
      2,
    );
  });

  it('what was buffered is flushed before the next task, which is a first attempt (WT-4)', () => {
    const run = new CoreDriver();
    run.poll();
    run.fail();
    run.poll();
    run.signal();
    run.fail();
    expect(run.wrote()).toEqual(['WorkflowExecutionSignaled', 'WorkflowTaskScheduled']);
    expect(run.state.workflowTask?.attempt).toBe(1);
  });

  it('a sticky run sends its task to the sticky queue with its timeout (WT-5)', () => {
    const run = new CoreDriver();
    run.turn([timer('t')], sticky);
    run.signal();
    expect(run.tasks[0]).toMatchObject({ taskQueue: 'sticky-q', normalTaskQueue: 'q' });
    expect(run.state.workflowTask).toMatchObject({ sticky: true, scheduleToStartMs: 5_000 });
  });

  it('a sticky task taken on the normal queue clears stickiness (WT-6)', () => {
    const run = new CoreDriver();
    run.turn([timer('t')], sticky);
    run.signal();
    run.poll('q');
    expect(run.state.sticky).toBeUndefined();
    expect(run.state.workflowTask).toMatchObject({ sticky: false, taskQueue: 'q' });
  });

  it('a poll of a sticky queue does not get the task of a run on the normal queue (WT-7)', () => {
    const run = new CoreDriver();
    const answer = run.do<'startWorkflowTask'>({
      kind: 'startWorkflowTask',
      scheduledEventId: 2,
      stamp: 0,
      requestId: 'p',
      identity: 'w',
      taskQueue: 'sticky-q',
    });
    expect(refusalOf(answer).code).toBe('NOT_FOUND');
  });
});

describe('start', () => {
  const start = (requestId: string) =>
    ({
      kind: 'startWorkflowTask',
      scheduledEventId: 2,
      stamp: 0,
      requestId,
      identity: 'w',
      taskQueue: 'q',
    }) as const;

  it('the same poll starts it twice without effect, another is refused (WT-8)', () => {
    const run = new CoreDriver();
    const first = run.ok<'startWorkflowTask'>(start('p'));
    expect(run.ok<'startWorkflowTask'>(start('p'))).toEqual(first);
    expect(run.wrote()).toEqual([]);
    expect(refusalOf(run.do<'startWorkflowTask'>(start('other'))).code).toBe('NOT_FOUND');
  });

  it('a later attempt becomes a first one when something was added since (WT-9)', () => {
    const run = new CoreDriver();
    run.poll();
    run.fail();
    run.signal();
    const { workflowTask, transientEvents } = run.poll();
    expect(run.wrote()).toEqual(['WorkflowTaskScheduled', 'WorkflowTaskStarted']);
    expect(workflowTask).toMatchObject({ attempt: 1, scheduledEventId: 6, startedEventId: 7 });
    expect(transientEvents).toEqual([]);
    expect(run.complete([timer('t')]).ok).toBe(true);
  });

  it('continue-as-new is suggested when the history is long, with the reason (WT-10)', () => {
    const run = new CoreDriver({ limits: { suggestContinueAsNewEvents: 2 } });
    run.poll();
    expect(run.event('WorkflowTaskStarted').workflowTaskStartedEventAttributes).toMatchObject({
      suggestContinueAsNew: true,
      suggestContinueAsNewReasons: [2],
    });
  });

  it('the reply names the started id the worker last completed (WT-11)', () => {
    const run = new CoreDriver();
    expect(run.poll().previousStartedEventId).toBe(0);
    run.complete([timer('t')]);
    run.signal();
    expect(run.poll().previousStartedEventId).toBe(3);
  });

  it('a wake-up for a timeout that is not due any more does nothing (WT-12)', () => {
    const run = new CoreDriver();
    run.poll();
    run.now += 9_999;
    run.ok<'wake'>({ kind: 'wake' });
    expect(run.last.changed).toBe(false);
  });
});

describe('complete', () => {
  it('a token of another attempt or time is not found (WT-13)', () => {
    const run = new CoreDriver();
    const { token } = run.poll();
    for (const wrong of [
      { attempt: 2 },
      { startedTime: 1 },
      { startedEventId: 9 },
      { scheduledEventId: 9 },
    ]) {
      const answer = run.do<'completeWorkflowTask'>({
        kind: 'completeWorkflowTask',
        token: { ...token, ...wrong },
        commands: [],
        request: {},
      });
      expect(refusalOf(answer).code).toBe('NOT_FOUND');
    }
    expect(run.complete([complete]).ok).toBe(true);
    const late = run.do<'completeWorkflowTask'>({
      kind: 'completeWorkflowTask',
      token,
      commands: [],
      request: {},
    });
    expect(refusalOf(late).code).toBe('NOT_FOUND');
  });

  it('command events follow the completion and are not buffered (WT-14)', () => {
    const run = new CoreDriver();
    run.turn([timer('a'), timer('b')]);
    expect(run.wrote()).toEqual(['WorkflowTaskCompleted', 'TimerStarted', 'TimerStarted']);
  });

  it('a close command that is not the last is a request error (WT-15)', () => {
    const run = new CoreDriver();
    run.poll();
    const answer = run.complete([complete, timer('t')]);
    expect(refusalOf(answer)).toEqual({
      code: 'INVALID_ARGUMENT',
      message:
        'invalid command sequence: [CompleteWorkflowExecution, StartTimer], command CompleteWorkflowExecution must be the last command.',
    });
    expect(run.last.changed).toBe(false);
  });

  it('a close command while events are buffered fails the task and is answered UnhandledCommand (WT-16)', () => {
    const run = new CoreDriver();
    run.poll();
    run.signal();
    const answer = run.complete([timer('t'), complete]);
    expect(refusalOf(answer)).toEqual({ code: 'INVALID_ARGUMENT', message: 'UnhandledCommand' });
    expect(run.wrote()).toEqual([
      'WorkflowTaskFailed',
      'WorkflowExecutionSignaled',
      'WorkflowTaskScheduled',
    ]);
    expect(run.state.timers.size).toBe(0);
    expect(run.tasks).toHaveLength(1);
  });

  it('after a refused close, signals wait until the started task ends (WT-17)', () => {
    const run = new CoreDriver();
    run.poll();
    run.signal();
    run.complete([complete]);
    run.poll();
    expect(refusalOf(run.signal()).code).toBe('RESOURCE_EXHAUSTED');
    expect(run.complete([complete]).ok).toBe(true);
    expect(run.state.status).toBe('completed');
  });

  it('cancelling a timer that fired into the buffer unblocks the close (WT-18)', () => {
    const run = new CoreDriver();
    run.turn([timer('t', 1_000)]);
    run.signal();
    run.poll();
    run.now += 1_000;
    run.ok<'wake'>({ kind: 'wake' });
    expect(run.state.buffered).toHaveLength(1);
    expect(run.complete([cancelTimer('t'), complete]).ok).toBe(true);
    expect(run.wrote()).toEqual([
      'WorkflowTaskCompleted',
      'TimerCanceled',
      'WorkflowExecutionCompleted',
    ]);
  });

  it('bad attributes fail the task with their cause and roll every command back (WT-19)', () => {
    const run = new CoreDriver();
    run.poll();
    const answer = run.complete([timer('t'), badTimer]);
    expect(refusalOf(answer).code).toBe('INVALID_ARGUMENT');
    expect(refusalOf(answer).message).toMatch(/^BadStartTimerAttributes: /);
    expect(run.wrote()).toEqual(['WorkflowTaskFailed']);
    expect(run.event('WorkflowTaskFailed').workflowTaskFailedEventAttributes).toMatchObject({
      cause: 4,
      failure: { serverFailureInfo: { nonRetryable: false } },
    });
    expect(run.state.timers.size).toBe(0);
    expect(run.state.workflowTask?.attempt).toBe(2);
  });

  it('bad attributes on a later attempt write nothing and leave the task to its timeout (WT-19)', () => {
    const run = new CoreDriver();
    run.poll();
    run.complete([badTimer]);
    run.poll();
    expect(run.complete([badTimer]).ok).toBe(false);
    expect(run.last.changed).toBe(false);
    run.wake();
    expect(run.state.workflowTask?.attempt).toBe(3);
  });

  it('an oversized payload in a command terminates the run (WT-20)', () => {
    const run = new CoreDriver({ limits: { payloadBytesMax: 100 } });
    run.poll();
    const answer = run.complete([
      {
        commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
        completeWorkflowExecutionCommandAttributes: { result: payloadsOf('x'.repeat(200)) },
      },
    ]);
    expect(refusalOf(answer).code).toBe('INVALID_ARGUMENT');
    expect(run.wrote()).toEqual(['WorkflowTaskFailed', 'WorkflowExecutionTerminated']);
    expect(run.state.status).toBe('terminated');
  });

  it('sticky attributes set stickiness, and without them it is cleared (WT-21)', () => {
    const run = new CoreDriver();
    run.turn([], { ...sticky, forceCreateNewWorkflowTask: true });
    expect(run.state.sticky?.taskQueue).toBe('sticky-q');
    run.turn([timer('t')]);
    expect(run.state.sticky).toBeUndefined();
  });

  it('a new task follows when it is forced or events were buffered, else none (WT-22)', () => {
    const run = new CoreDriver();
    run.turn([timer('a')], { forceCreateNewWorkflowTask: true });
    expect(run.wrote().at(-1)).toBe('WorkflowTaskScheduled');
    run.poll();
    run.signal();
    run.complete([timer('b')]);
    expect(run.wrote()).toEqual([
      'WorkflowTaskCompleted',
      'TimerStarted',
      'WorkflowExecutionSignaled',
      'WorkflowTaskScheduled',
    ]);
    run.turn([timer('c')]);
    expect(run.state.workflowTask).toBeUndefined();
  });

  it('a worker that asks for the new task back gets it instead of the queue (WT-23)', () => {
    const run = new CoreDriver();
    run.poll();
    const answer = run.complete([timer('t')], {
      forceCreateNewWorkflowTask: true,
      returnNewWorkflowTask: true,
    });
    expect(answer).toMatchObject({ ok: true, value: { returnNewTask: { scheduledEventId: 6 } } });
    expect(run.tasks).toEqual([]);
  });

  it('a heartbeat keeps the original scheduled time and after 30 min the task times out (WT-24)', () => {
    const run = new CoreDriver();
    const first = run.state.workflowTask?.scheduledTime;
    run.now += 1_000;
    run.turn([], { ...sticky, forceCreateNewWorkflowTask: true });
    expect(run.state.workflowTask?.originalScheduledTime).toBe(first);
    run.now += 30 * 60_000;
    run.turn([], { ...sticky, forceCreateNewWorkflowTask: true });
    expect(run.wrote()).toEqual(['WorkflowTaskTimedOut', 'WorkflowTaskScheduled']);
    expect(run.state.sticky).toBeUndefined();
  });
});
