import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { CoreDriver, nameOf, payloadsOf } from '../../test/core-driver.ts';
import { CommandType } from './proto.ts';
import type { Command } from './proto.ts';
import { resetRun } from './reset.ts';
import type { ResetArgs } from './reset.ts';
import { durationOf, numberOf } from './time.ts';

const activity: Command = {
  commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
  scheduleActivityTaskCommandAttributes: {
    activityId: 'a',
    activityType: { name: 'x' },
    taskQueue: { name: 'q' },
    startToCloseTimeout: durationOf(60_000),
  },
};
const timer: Command = {
  commandType: CommandType.COMMAND_TYPE_START_TIMER,
  startTimerCommandAttributes: { timerId: 't', startToFireTimeout: durationOf(60_000) },
};
const complete: Command = {
  commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  completeWorkflowExecutionCommandAttributes: { result: payloadsOf(1) },
};

function reset(run: CoreDriver, finishId: number, changes: Partial<ResetArgs> = {}) {
  const args: ResetArgs = {
    baseRunId: run.state.runId,
    workflowTaskFinishEventId: finishId,
    newRunId: 'run-2',
    reason: 'again',
    requestId: 'reset-1',
    identity: 'ops',
    ...changes,
  };
  const answer = resetRun(run.state, run.history, args, run.env());
  if (!answer.ok) assert.fail(answer.refusal.message);
  return answer;
}

const refusedAt = (run: CoreDriver, finishId: number) => {
  const args = {
    baseRunId: 'run-1',
    workflowTaskFinishEventId: finishId,
    newRunId: 'n',
    reason: '',
    requestId: '',
    identity: '',
  };
  const answer = resetRun(run.state, run.history, args, run.env());
  return answer.ok ? '' : answer.refusal.message;
};

describe('a reset', () => {
  it.each([
    ['before a later attempt has started', 6],
    ['before a later attempt has ended', 7],
  ])('%s writes its end and no second schedule (RS-2)', (_where, finishId) => {
    const run = new CoreDriver();
    run.poll();
    run.fail();
    run.turn([timer]);
    expect(run.names(4)).toEqual([
      'WorkflowTaskFailed',
      'WorkflowTaskScheduled',
      'WorkflowTaskStarted',
      'WorkflowTaskCompleted',
      'TimerStarted',
    ]);
    const { next } = reset(run, finishId);
    expect(next.events.map(nameOf).slice(3)).toEqual([
      'WorkflowTaskFailed',
      'WorkflowTaskScheduled',
      'WorkflowTaskStarted',
      'WorkflowTaskFailed',
      'WorkflowTaskScheduled',
    ]);
  });

  it('goes to a point within a workflow task, and nowhere else (RS-1)', () => {
    const run = new CoreDriver();
    run.turn([timer]);
    expect(refusedAt(run, 1)).toBe(
      'Workflow task finish ID must be > 1 && <= workflow last event ID.',
    );
    expect(refusedAt(run, 9)).toBe(
      'Workflow task finish ID must be > 1 && <= workflow last event ID.',
    );
    expect(refusedAt(run, 2)).toMatch(/^Can only reset workflow to event ID in range/);
    expect(refusedAt(run, 5)).toMatch(/^Can only reset workflow to event ID in range/);
    expect(refusedAt(run, 4)).toBe('');
  });

  it('makes a run of the events before it and the failed task, and ends the current run (RS-2)', () => {
    const run = new CoreDriver();
    run.turn([timer]);
    run.signal();
    const { current, next } = reset(run, 4);
    expect(current?.events.map(nameOf)).toEqual(['WorkflowExecutionTerminated']);
    expect(current?.state).toMatchObject({ status: 'terminated', resetRunId: 'run-2' });
    expect(next.events.map(nameOf)).toEqual([
      'WorkflowExecutionStarted',
      'WorkflowTaskScheduled',
      'WorkflowTaskStarted',
      'WorkflowTaskFailed',
      'WorkflowExecutionSignaled',
      'WorkflowTaskScheduled',
    ]);
    expect(next.events.map((event) => numberOf(event.eventId))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(next.events[3]?.workflowTaskFailedEventAttributes).toMatchObject({
      cause: 20,
      baseRunId: 'run-1',
      newRunId: 'run-2',
    });
    expect(next.state).toMatchObject({
      runId: 'run-2',
      firstRunId: 'run-1',
      originalRunId: 'run-1',
    });
    expect(next.state.workflowTask?.attempt).toBe(1);
    expect(next.tasks).toHaveLength(1);
  });

  it('at a started task that was not started yet writes its start and its failure (RS-2)', () => {
    const run = new CoreDriver();
    run.turn([timer]);
    const { next } = reset(run, 3);
    expect(next.events.map(nameOf)).toEqual([
      'WorkflowExecutionStarted',
      'WorkflowTaskScheduled',
      'WorkflowTaskStarted',
      'WorkflowTaskFailed',
      'WorkflowTaskScheduled',
    ]);
  });

  it('runs open activities again and keeps open timers (RS-2)', () => {
    const run = new CoreDriver();
    run.turn([activity, timer]);
    run.signal();
    run.turn([complete]);
    run.now += 5_000;
    const { next, current } = reset(run, 9);
    expect(current?.events).toEqual([]);
    expect(next.state.timers.size).toBe(1);
    expect([...next.state.activities.values()]).toMatchObject([
      { activityId: 'a', scheduledTime: run.now, attempt: 1 },
    ]);
    expect(next.tasks.map((task) => task.kind).sort()).toEqual(['activity', 'workflow']);
  });

  it('fails an activity whose late start is before the point and whose close is not (RS-2, AC-2)', () => {
    const run = new CoreDriver();
    run.turn([activity]);
    run.signal();
    const [pending] = run.state.activities.values();
    assert(pending);
    const { scheduledEventId, stamp } = pending;
    run.ok<'startActivity'>({
      kind: 'startActivity',
      scheduledEventId,
      stamp,
      requestId: 'poll',
      identity: 'worker',
    });
    run.ok<'completeActivity'>({
      kind: 'completeActivity',
      activity: { by: 'id', activityId: 'a' },
      result: payloadsOf(1),
      identity: 'worker',
    });
    expect(run.names(8)).toEqual(['ActivityTaskStarted', 'ActivityTaskCompleted']);
    const { next } = reset(run, 9);
    expect(next.events.map(nameOf).slice(7)).toEqual([
      'ActivityTaskStarted',
      'WorkflowTaskStarted',
      'WorkflowTaskFailed',
      'ActivityTaskFailed',
      'WorkflowTaskScheduled',
    ]);
    expect(next.events[10]?.activityTaskFailedEventAttributes).toMatchObject({
      failure: { message: 'again', resetWorkflowFailureInfo: {} },
    });
    expect(numberOf(next.events[10]?.activityTaskFailedEventAttributes?.startedEventId)).toBe(8);
    expect(next.state.activities.size).toBe(0);
  });

  it('leaves out what the caller excludes (RS-2)', () => {
    const run = new CoreDriver();
    run.turn([timer]);
    run.signal();
    const names = (changes: Partial<ResetArgs>) => reset(run, 4, changes).next.events.map(nameOf);
    expect(names({ excludeTypes: [1] })).not.toContain('WorkflowExecutionSignaled');
    expect(names({ reapplyType: 2 })).not.toContain('WorkflowExecutionSignaled');
  });

  it('works on a closed run (RS-3)', () => {
    const run = new CoreDriver();
    run.turn([complete]);
    const { current, next } = reset(run, 4);
    expect(current?.state).toMatchObject({ status: 'completed', resetRunId: 'run-2' });
    expect(next.state.status).toBe('running');
  });
});
