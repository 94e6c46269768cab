import { describe, expect, it } from 'vitest';
import { CoreDriver } from '../../test/core-driver.ts';
import { CommandType } from './proto.ts';
import type { Command } from './proto.ts';
import { durationOf, numberOf } from './time.ts';

const timer = (timerId: string, ms = 60_000): Command => ({
  commandType: CommandType.COMMAND_TYPE_START_TIMER,
  startTimerCommandAttributes: { timerId, startToFireTimeout: durationOf(ms) },
});
const sticky = {
  stickyAttributes: {
    workerTaskQueue: { name: 'sticky-q' },
    scheduleToStartTimeout: durationOf(5_000),
  },
};

describe('fail and time out', () => {
  it('with stickiness set a failure clears it and counts no attempt, without it counts up (WT-28)', () => {
    const run = new CoreDriver();
    run.turn([], { ...sticky, forceCreateNewWorkflowTask: true });
    run.poll();
    run.fail();
    expect(run.wrote()).toEqual(['WorkflowTaskFailed', 'WorkflowTaskScheduled']);
    expect(run.state.workflowTask).toMatchObject({ attempt: 1, taskQueue: 'q' });
    run.poll();
    run.wake();
    expect(run.wrote()).toEqual(['WorkflowTaskTimedOut']);
    expect(run.state.workflowTask?.attempt).toBe(2);
  });

  it('a sticky task nobody takes is written as timed out and counts no attempt (WT-29)', () => {
    const run = new CoreDriver();
    run.turn([], { ...sticky, forceCreateNewWorkflowTask: true });
    run.wake();
    expect(run.wrote()).toEqual(['WorkflowTaskTimedOut', 'WorkflowTaskScheduled']);
    expect(run.event('WorkflowTaskTimedOut').workflowTaskTimedOutEventAttributes?.timeoutType).toBe(
      2,
    );
    expect(run.state.workflowTask).toMatchObject({ attempt: 1, taskQueue: 'q' });
    expect(run.tasks[0]?.taskQueue).toBe('q');
  });

  it('a worker whose message is too large ends the run (WT-31)', () => {
    const run = new CoreDriver();
    run.poll();
    run.fail(36);
    expect(run.wrote()).toEqual(['WorkflowTaskFailed', 'WorkflowExecutionTerminated']);
  });

  it('five problems in a row are reported in a search attribute until one success (WT-32)', () => {
    const run = new CoreDriver();
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      expect(run.state.searchAttributes?.indexedFields).toBeUndefined();
      run.poll();
      run.fail();
    }
    const value = run.state.searchAttributes?.indexedFields?.TemporalReportedProblems;
    expect(new TextDecoder().decode(value?.data ?? new Uint8Array())).toBe(
      '["category=WorkflowTaskFailed","cause=WorkflowTaskFailedCauseWorkflowWorkerUnhandledFailure"]',
    );
    run.turn([timer('t')]);
    expect(run.state.searchAttributes?.indexedFields).toEqual({});
  });

  it('when the process that held the task dies, it is scheduled again without counting an attempt (WT-28)', () => {
    const run = new CoreDriver();
    run.turn([], { ...sticky, forceCreateNewWorkflowTask: true });
    run.poll('sticky-q', 'p1');
    run.ok<'processLost'>({ kind: 'processLost', processId: 'p2' });
    expect(run.last.changed).toBe(false);
    run.ok<'processLost'>({ kind: 'processLost', processId: 'p1' });
    expect(run.wrote()).toEqual(['WorkflowTaskTimedOut', 'WorkflowTaskScheduled']);
    expect(run.state.workflowTask).toMatchObject({ attempt: 1, taskQueue: 'q' });
  });
});

describe('stickiness', () => {
  it('a worker that forgot the run gets its waiting task on the normal queue (WT-7)', () => {
    const run = new CoreDriver();
    run.turn([timer('t')], sticky);
    run.signal();
    run.ok<'clearStickiness'>({ kind: 'clearStickiness' });
    expect(run.tasks).toMatchObject([{ taskQueue: 'q', normalTaskQueue: '' }]);
    expect(run.poll().workflowTask.sticky).toBe(false);
    run.ok<'clearStickiness'>({ kind: 'clearStickiness' });
    expect(run.last.changed).toBe(false);
  });
});

describe('buffer', () => {
  it('while a task is started, a signal waits and follows its completion (WT-33)', () => {
    const run = new CoreDriver();
    run.poll();
    run.signal();
    expect(run.wrote()).toEqual([]);
    run.complete();
    expect(run.wrote()).toEqual([
      'WorkflowTaskCompleted',
      'WorkflowExecutionSignaled',
      'WorkflowTaskScheduled',
    ]);
  });

  it('flushed closes stand behind everything else, wired to the ids of their starts (WT-34)', () => {
    const run = new CoreDriver();
    run.turn([
      {
        commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
        scheduleActivityTaskCommandAttributes: {
          activityId: 'a',
          activityType: { name: 'charge' },
          taskQueue: { name: 'q' },
          startToCloseTimeout: durationOf(60_000),
        },
      },
    ]);
    const [activity] = run.state.activities.values();
    run.signal();
    run.poll();
    run.ok<'startActivity'>({
      kind: 'startActivity',
      scheduledEventId: activity?.scheduledEventId ?? 0,
      stamp: activity?.stamp ?? 0,
      requestId: 'r',
      identity: 'w',
    });
    run.ok<'completeActivity'>({
      kind: 'completeActivity',
      activity: { by: 'id', activityId: 'a' },
      identity: 'w',
    });
    run.signal();
    run.complete();
    expect(run.wrote()).toEqual([
      'WorkflowTaskCompleted',
      'ActivityTaskStarted',
      'WorkflowExecutionSignaled',
      'ActivityTaskCompleted',
      'WorkflowTaskScheduled',
    ]);
    const started = numberOf(run.event('ActivityTaskStarted').eventId);
    const completed = run.event('ActivityTaskCompleted').activityTaskCompletedEventAttributes;
    expect(numberOf(completed?.startedEventId)).toBe(started);
  });

  it('too many buffered events fail the task, and they are flushed (WT-35)', () => {
    const run = new CoreDriver({ limits: { bufferedEventsMax: 2 } });
    run.poll();
    run.signal();
    run.signal();
    expect(run.wrote()).toEqual([]);
    run.signal();
    expect(run.wrote()).toEqual([
      'WorkflowTaskFailed',
      'WorkflowExecutionSignaled',
      'WorkflowExecutionSignaled',
      'WorkflowExecutionSignaled',
      'WorkflowTaskScheduled',
    ]);
  });
});
