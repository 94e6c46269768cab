import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { continueAsNew, step, timer as timerOf } from '../../test/command-kit.ts';
import { CoreDriver, nameOf, payloadsOf, refusalOf } from '../../test/core-driver.ts';
import { acceptance, placeOf, rejection, response } from '../../test/update-messages.ts';
import type { CompleteWorkflowTaskRequest } from './input.ts';
import { defaultLimits } from './limits.ts';
import type { Command } from './proto.ts';
import { durationOf, numberOf } from './time.ts';
import { unwrittenEventsOf } from './unwritten-task.ts';

const sticky = {
  stickyAttributes: {
    workerTaskQueue: { name: 'sticky-q' },
    scheduleToStartTimeout: durationOf(5_000),
  },
};
const timer = (timerId: string): Command => timerOf(timerId, 60_000);
const shownAgain = { capabilities: { discardSpeculativeWorkflowTaskWithEvents: true } };
const three = ['WorkflowTaskScheduled', 'WorkflowTaskStarted', 'WorkflowTaskCompleted'];

/** Four events, nothing pending. */
function idle(commands: readonly Command[] = [], request: CompleteWorkflowTaskRequest = {}) {
  const run = new CoreDriver();
  run.turn(commands, request);
  return run;
}

/** A fifth and a sixth that only the worker is shown. */
function started(...idling: Parameters<typeof idle>): CoreDriver {
  const run = idle(...idling);
  run.update('u1');
  run.poll();
  return run;
}

function reject(run: CoreDriver, request: CompleteWorkflowTaskRequest = {}, updateId = 'u1') {
  const answer = run.complete([], { messages: [rejection(updateId)], ...request });
  return answer.ok ? answer.value : assert.fail(`refused: ${answer.refusal.message}`);
}

describe('made', () => {
  it('for an update alone, it is in a queue and not in the history (WT-36, MS-3)', () => {
    const run = idle();
    run.update('u1');
    expect(run.wrote()).toEqual([]);
    expect(run.state.workflowTask).toMatchObject({ kind: 'speculative', scheduledEventId: 5 });
    expect(run.tasks).toMatchObject([{ kind: 'workflow', taskQueue: 'q', scheduledEventId: 5 }]);
  });

  it('and shown to its worker as the next two ids, with the update after the first (WT-36, WT-11)', () => {
    const run = idle();
    run.update('u1');
    const { transientEvents, messages, previousStartedEventId } = run.poll();
    expect(run.wrote()).toEqual([]);
    expect(transientEvents.map(nameOf)).toEqual(three.slice(0, 2));
    expect(transientEvents.map(({ eventId }) => numberOf(eventId))).toEqual([5, 6]);
    expect(messages.map(({ eventId }) => numberOf(eventId))).toEqual([5]);
    expect(previousStartedEventId).toBe(3);
    expect(unwrittenEventsOf(run.state)).toEqual(transientEvents);
  });

  it('with a task pending, an update makes none (WT-36)', () => {
    const run = idle();
    run.signal();
    run.update('u1');
    expect(run.state.workflowTask?.kind).toBe('normal');
    expect(run.poll().messages).toHaveLength(1);
  });

  it('the first task of a run is a normal one (WT-36, MS-6)', () => {
    const run = new CoreDriver({ request: { workflowStartDelay: durationOf(60_000) } });
    run.update('u1');
    expect(run.wrote()).toEqual(['WorkflowTaskScheduled']);
    run.poll();
    expect(reject(run).resetHistoryEventId).toBe(0);
    expect(run.names().slice(1)).toEqual(three);
  });

  it('its token is no other task’s, although the ids come again (WT-13)', () => {
    const run = started();
    const token = run.state.workflowTask ?? assert.fail('no task is pending');
    reject(run);
    run.update('u2');
    run.poll();
    expect(run.state.workflowTask?.scheduledEventId).toBe(token.scheduledEventId);
    const late = run.do<'completeWorkflowTask'>({
      kind: 'completeWorkflowTask',
      token,
      commands: [],
      request: { messages: [rejection('u2')] },
    });
    expect(refusalOf(late).code).toBe('NOT_FOUND');
    expect(run.state.updates.get('u2')?.stage).toBe('sent');
  });

  it('a row of the one before starts nothing (WT-8)', () => {
    const run = idle();
    run.update('u1');
    const [row] = run.tasks;
    run.poll();
    reject(run);
    run.update('u2');
    const again = run.do<'startWorkflowTask'>({
      kind: 'startWorkflowTask',
      scheduledEventId: row?.scheduledEventId ?? 0,
      stamp: row?.stamp ?? 0,
      requestId: 'late',
      identity: 'worker',
      taskQueue: 'q',
    });
    expect(refusalOf(again).code).toBe('NOT_FOUND');
  });
});

describe('written by whatever else changes the run', () => {
  it('a signal writes what was scheduled before itself (WT-37, WT-9)', () => {
    const run = idle();
    run.update('u1');
    const { scheduledTime } = run.state.workflowTask ?? {};
    run.now += 500;
    run.signal();
    expect(run.wrote()).toEqual(['WorkflowTaskScheduled', 'WorkflowExecutionSignaled']);
    expect(run.state.workflowTask).toMatchObject({ kind: 'normal', scheduledEventId: 5 });
    expect(run.state.workflowTask?.scheduledTime).toBe(scheduledTime);
    expect(numberOf(run.history[4]?.eventTime?.seconds) * 1_000).toBe(scheduledTime);
    const { messages, transientEvents } = run.poll();
    expect(transientEvents).toEqual([]);
    expect(messages.map(({ eventId }) => numberOf(eventId))).toEqual([6]);
    expect(reject(run).resetHistoryEventId).toBe(0);
    expect(run.names(5)).toEqual([three[0], 'WorkflowExecutionSignaled', three[1], three[2]]);
  });

  it('a signal that is buffered writes what was scheduled and started (WT-37, WT-33)', () => {
    const run = started();
    run.signal();
    expect(run.wrote()).toEqual(three.slice(0, 2));
    expect(run.state.buffered).toHaveLength(1);
    expect(reject(run).resetHistoryEventId).toBe(0);
    expect(run.names(7)).toEqual([three[2], 'WorkflowExecutionSignaled', three[0]]);
    expect(run.state.workflowTask?.kind).toBe('normal');
  });

  it('a change without an event writes it too (WT-37)', () => {
    const run = idle([step('a')]);
    run.update('u1');
    const [one] = run.state.activities.values();
    run.ok<'startActivity'>({
      kind: 'startActivity',
      scheduledEventId: one?.scheduledEventId ?? 0,
      stamp: one?.stamp ?? 0,
      requestId: 's',
      identity: 'worker',
    });
    expect(run.wrote()).toEqual(['WorkflowTaskScheduled']);
    expect(run.state.workflowTask).toMatchObject({ kind: 'normal', startedEventId: 0 });
  });

  it('another update and a worker that forgot the run do not (WT-37)', () => {
    const run = idle([], sticky);
    run.update('u1');
    run.update('u2');
    expect(run.state.workflowTask).toMatchObject({ kind: 'speculative', sticky: true });
    run.do<'clearStickiness'>({ kind: 'clearStickiness' });
    expect(run.state.workflowTask).toMatchObject({ kind: 'speculative', taskQueue: 'q' });
    expect(run.poll().messages).toHaveLength(2);
    expect(run.names()).toHaveLength(4);
  });

  it('a pause fails what nobody has taken, as it does with a normal one (WT-37, PZ-1)', () => {
    const run = idle();
    run.update('u1');
    run.do<'pauseRun'>({ kind: 'pauseRun', identity: 'client', reason: '', requestId: 'p' });
    expect(run.wrote()).toEqual([
      'WorkflowTaskScheduled',
      'WorkflowExecutionPaused',
      'WorkflowTaskFailed',
    ]);
    expect(run.state.workflowTask).toBeUndefined();
  });
});

describe('dropped', () => {
  it('when the worker only rejects: no event is written, and it is told from where it goes on (WT-38, WT-26)', () => {
    const run = started();
    expect(reject(run).resetHistoryEventId).toBe(3);
    expect(run.wrote()).toEqual([]);
    expect(run.state.workflowTask).toBeUndefined();
    expect(run.state.updates.get('u1')?.stage).toBe('rejected');
    run.signal();
    expect(run.names(5)).toEqual(['WorkflowExecutionSignaled', 'WorkflowTaskScheduled']);
    expect(run.poll().previousStartedEventId).toBe(3);
  });

  it('when the worker says nothing of the update, which is rejected for it (WT-38, WT-25)', () => {
    const run = started();
    const answer = run.complete();
    expect(answer).toMatchObject({ ok: true, value: { resetHistoryEventId: 3 } });
    expect(run.state.updates.get('u1')?.failure?.applicationFailureInfo?.type).toBe(
      'UnprocessedUpdate',
    );
    expect(run.names()).toHaveLength(4);
  });

  it('its sticky queue is taken over, and given up where none is named (WT-38, WT-21)', () => {
    const run = started([], sticky);
    reject(run, sticky);
    expect(run.state.sticky?.taskQueue).toBe('sticky-q');
    run.update('u2');
    run.poll();
    reject(run, {}, 'u2');
    expect(run.state.sticky).toBeUndefined();
    expect(run.names()).toHaveLength(4);
  });

  it('not when its worker has been shown events, unless it takes them again (WT-38)', () => {
    const written = started([timer('t')]);
    expect(reject(written).resetHistoryEventId).toBe(0);
    expect(written.names(6)).toEqual(three);

    const dropped = started([timer('t')]);
    expect(reject(dropped, shownAgain).resetHistoryEventId).toBe(3);
    expect(dropped.names()).toHaveLength(5);
  });

  it('not when they are many (WT-38)', () => {
    const many = defaultLimits.shownAgainEventsMax + 1;
    const run = started(Array.from({ length: many }, (_, index) => timer(`t${index}`)));
    expect(reject(run, shownAgain).resetHistoryEventId).toBe(0);
    expect(run.names(5 + many)).toEqual(three);
  });

  it('not with an acceptance, a command or a heartbeat: then all three are written (WT-38, WT-24)', () => {
    const accepts = started();
    const messages = [acceptance('u1'), response('u1')];
    accepts.complete(messages.map(placeOf), { messages });
    expect(accepts.wrote()).toEqual([
      ...three,
      'WorkflowExecutionUpdateAccepted',
      'WorkflowExecutionUpdateCompleted',
    ]);
    const silent = started();
    silent.complete([], { messages: [acceptance('u1')] });
    expect(silent.wrote()).toEqual([...three, 'WorkflowExecutionUpdateAccepted']);

    const commands = started();
    commands.complete([timer('t')], { messages: [rejection('u1')] });
    expect(commands.wrote()).toEqual([...three, 'TimerStarted']);

    const beats = started();
    beats.complete([], { forceCreateNewWorkflowTask: true });
    expect(beats.wrote()).toEqual([...three, 'WorkflowTaskScheduled']);
    expect(beats.state.workflowTask).toMatchObject({ kind: 'normal', startedEventId: 0 });

    const goesOn = started();
    goesOn.complete([continueAsNew()], { messages: [rejection('u1')] });
    expect(goesOn.wrote()).toEqual([...three, 'WorkflowExecutionContinuedAsNew']);
  });

  it('an update that came meanwhile has the next one, in the reply, or a normal one (WT-22, WT-23)', () => {
    const inReply = started();
    inReply.update('u2');
    const reply = reject(inReply, { returnNewWorkflowTask: true });
    expect(reply).toMatchObject({ resetHistoryEventId: 3, returnNewTask: { scheduledEventId: 5 } });
    expect(inReply.wrote()).toEqual([]);
    expect(inReply.state.workflowTask?.kind).toBe('speculative');

    const queued = started();
    queued.update('u2');
    reject(queued);
    expect(queued.wrote()).toEqual(['WorkflowTaskScheduled']);
    expect(queued.state.workflowTask?.kind).toBe('normal');
  });

  it('a normal task is followed by one too, when only updates wait (WT-22, WT-36)', () => {
    const run = idle();
    run.signal();
    run.poll();
    run.update('u1');
    run.complete([], { returnNewWorkflowTask: true });
    expect(run.wrote()).toEqual(['WorkflowTaskCompleted']);
    expect(run.state.workflowTask).toMatchObject({ kind: 'speculative', scheduledEventId: 9 });
  });

  it('with the run, when that is ended before anybody takes it (WT-38, TR-1)', () => {
    const run = idle();
    run.update('u1');
    run.terminate();
    expect(run.wrote()).toEqual(['WorkflowExecutionTerminated']);
    const late = new CoreDriver({ request: { workflowRunTimeout: durationOf(60_000) } });
    late.turn();
    late.update('u1');
    late.wake();
    expect(late.wrote()).toEqual(['WorkflowExecutionTimedOut']);
  });
});

describe('failed', () => {
  it('its failure writes all three, and the next attempt is as any (WT-39)', () => {
    const run = started();
    run.fail();
    expect(run.wrote()).toEqual([three[0], three[1], 'WorkflowTaskFailed']);
    const failed = run.event('WorkflowTaskFailed').workflowTaskFailedEventAttributes;
    expect([failed?.scheduledEventId, failed?.startedEventId].map(numberOf)).toEqual([5, 6]);
    expect(run.state.workflowTask).toMatchObject({ attempt: 2, kind: 'normal' });
    expect(run.poll().messages).toHaveLength(1);
  });

  it('a message that is not understood fails it, and all three are written (WT-39, WT-19)', () => {
    const run = started();
    const bad = { ...rejection('u1'), body: { type_url: 'x/temporal.api.update.v1.Other' } };
    const answer = run.complete([], { messages: [bad] });
    expect(refusalOf(answer).code).toBe('INVALID_ARGUMENT');
    expect(run.wrote()).toEqual([three[0], three[1], 'WorkflowTaskFailed']);
  });

  it('a rejection that does not say why fails it, although it would be dropped (WT-39, WT-19)', () => {
    const run = started();
    const answer = run.complete([], { messages: [rejection('u1', null as never)] });
    expect(refusalOf(answer).code).toBe('INVALID_ARGUMENT');
    expect(run.wrote()).toEqual([three[0], three[1], 'WorkflowTaskFailed']);
  });

  it('its timeout writes all three (WT-39)', () => {
    const run = started();
    run.wake();
    expect(run.wrote()).toEqual([three[0], three[1], 'WorkflowTaskTimedOut']);
  });

  it('on a sticky queue where nobody comes, its timeout writes two, and a normal one follows (WT-39, WT-29)', () => {
    const run = idle([], sticky);
    run.update('u1');
    run.wake();
    expect(run.wrote()).toEqual([
      'WorkflowTaskScheduled',
      'WorkflowTaskTimedOut',
      'WorkflowTaskScheduled',
    ]);
    expect(run.history[4]?.workflowTaskScheduledEventAttributes?.taskQueue?.name).toBe('sticky-q');
    expect(run.state.workflowTask).toMatchObject({ kind: 'normal', sticky: false, attempt: 1 });
  });

  it('the end of its process is a timeout (WT-39, decision 11)', () => {
    const run = idle();
    run.update('u1');
    run.poll(undefined, 'p1');
    run.do<'processLost'>({ kind: 'processLost', processId: 'p1' });
    expect(run.wrote()).toEqual([three[0], three[1], 'WorkflowTaskTimedOut', three[0]]);
    expect(run.poll().messages).toHaveLength(1);
  });

  it('the end of its run writes that it was taken, and failed (WT-39)', () => {
    const run = started();
    run.terminate();
    expect(run.wrote()).toEqual([
      three[0],
      three[1],
      'WorkflowTaskFailed',
      'WorkflowExecutionTerminated',
    ]);
  });

  it('what suggests to continue as new is written with it (WT-10, WT-39)', () => {
    const run = new CoreDriver({ limits: { suggestContinueAsNewEvents: 4 } });
    run.turn();
    run.update('u1');
    const [, shown] = run.poll().transientEvents;
    expect(shown?.workflowTaskStartedEventAttributes).toMatchObject({
      suggestContinueAsNew: true,
      suggestContinueAsNewReasons: [2],
    });
    run.complete([timer('t')], { messages: [rejection('u1')] });
    expect(run.event('WorkflowTaskStarted')).toEqual(shown);
  });
});

it('a run that was stopped with a speculative task goes on with it from what is stored and told (WT-36)', () => {
  const run = started();
  // The driver reads each state back from its bytes; what the history tells is the run without the task.
  expect(run.rebuilt().workflowTask).toBeUndefined();
  expect(run.rebuilt().nextEventId).toBe(run.state.nextEventId);
  reject(run);
  run.update('u1');
  run.poll();
  const messages = [acceptance('u1'), response('u1', payloadsOf('yes'))];
  run.complete(messages.map(placeOf), { messages });
  expect(run.rebuilt().completedUpdates.size).toBe(1);
  expect(run.names()).toHaveLength(9);
});
