import { msNumberToTs } from '@temporalio/common/lib/time.js';
import Long from 'long';
import { describe, expect, it } from 'vitest';
import {
  isInternalKey,
  notYetType,
  statusView,
  type HistoryEvent,
  type RunDescription,
} from './task-status.ts';

const at = msNumberToTs;

/** Events with ids 1, 2, … and a second between them. */
function history(...events: HistoryEvent[]): HistoryEvent[] {
  return events.map((event, index) => ({
    eventId: id(index + 1),
    eventTime: at((index + 1) * 1000),
    ...event,
  }));
}

const id = (value: number) => Long.fromNumber(value);
const started: HistoryEvent = { workflowExecutionStartedEventAttributes: {} };
const scheduled = (activityId: string): HistoryEvent => ({
  activityTaskScheduledEventAttributes: { activityId },
});
const stepStarted = (of: number, attempt = 1): HistoryEvent => ({
  activityTaskStartedEventAttributes: { scheduledEventId: id(of), attempt },
});
const stepCompleted = (of: number): HistoryEvent => ({
  activityTaskCompletedEventAttributes: { scheduledEventId: id(of), startedEventId: id(of + 1) },
});
const description: RunDescription = { workflowExecutionInfo: { startTime: at(1000) } };
const pendingWith = (
  ...pendingActivities: NonNullable<RunDescription['pendingActivities']>
): RunDescription => ({ ...description, pendingActivities });

describe('the status of a run', () => {
  it('is pending until a step has started', () => {
    expect(statusView(description, history(started))).toEqual({
      status: 'pending',
      createdAt: 1000,
      completedSteps: [],
    });
    const queued = pendingWith({ activityId: 'fetch', attempt: 1, state: 1 });
    expect(statusView(queued, history(started, scheduled('fetch')))).toMatchObject({
      status: 'pending',
      currentStep: 'fetch',
    });
  });

  it('is processing with its current step, attempt, next try and progress', () => {
    const running = pendingWith(
      { activityId: 'waits', attempt: 1, state: 1 },
      {
        activityId: 'render',
        attempt: 3,
        state: 2,
        lastStartedTime: at(5000),
        heartbeatDetails: { payloads: [{ data: Buffer.from('d') }, { data: Buffer.from('p') }] },
        lastFailure: { message: 'busy' },
      },
    );
    expect(statusView(running, history(started, scheduled('waits'), scheduled('render')))).toEqual({
      status: 'processing',
      createdAt: 1000,
      startedAt: 5000,
      completedSteps: [],
      currentStep: 'render',
      attempts: 3,
      progress: { data: Buffer.from('p') },
      lastFailure: { message: 'busy' },
    });
    const waiting = pendingWith({
      activityId: 'render',
      attempt: 2,
      state: 1,
      scheduledTime: at(9000),
      lastStartedTime: at(5000),
    });
    expect(statusView(waiting, history(started, scheduled('render')))).toMatchObject({
      nextRetryAt: 9000,
      attempts: 2,
    });
  });

  it('lists steps in the order of their completion, without what is internal', () => {
    const events = history(
      started,
      scheduled('a'),
      stepStarted(2),
      scheduled('b'),
      stepStarted(4, 2),
      stepCompleted(4),
      stepCompleted(2),
      scheduled('job#submit'),
      stepCompleted(8),
      scheduled('job#poll'),
      stepCompleted(10),
      scheduled('job#poll#2'),
      stepCompleted(12),
      scheduled('a#2'),
      stepCompleted(14),
      scheduled('#hidden'),
      stepCompleted(16),
      {
        workflowExecutionCompletedEventAttributes: {
          result: { payloads: [{ data: Buffer.from('1') }] },
        },
      },
    );
    expect(statusView(description, events)).toEqual({
      status: 'completed',
      createdAt: 1000,
      startedAt: 3000,
      completedAt: 18_000,
      attempts: 2,
      completedSteps: ['b', 'a', 'job', 'job#2', 'a#2'],
      end: { kind: 'completed', result: { data: Buffer.from('1') } },
    });
  });

  it('names a composed step by its key, and does not show a poll that says "not yet" as an error', () => {
    const polling = pendingWith({
      activityId: 'job#poll',
      attempt: 7,
      state: 1,
      lastFailure: { message: 'not yet', applicationFailureInfo: { type: notYetType } },
    });
    const view = statusView(polling, history(started, scheduled('job#poll')));
    expect(view).toMatchObject({ status: 'processing', currentStep: 'job', attempts: 7 });
    expect(view.lastFailure).toBeUndefined();
  });

  it('is failed when it timed out, cancelled when it was terminated, and follows a chain', () => {
    const end = (event: HistoryEvent) => statusView(description, history(started, event));
    expect(end({ workflowExecutionTimedOutEventAttributes: {} }).status).toBe('failed');
    expect(end({ workflowExecutionCanceledEventAttributes: {} }).status).toBe('cancelled');
    expect(end({ workflowExecutionTerminatedEventAttributes: { reason: 'enough' } })).toMatchObject(
      {
        status: 'cancelled',
        end: { failure: { message: 'enough' } },
      },
    );
    expect(
      end({ workflowExecutionContinuedAsNewEventAttributes: { newExecutionRunId: 'next' } }).end,
    ).toEqual({ kind: 'continued', runId: 'next' });
    expect(
      end({ workflowExecutionFailedEventAttributes: { newExecutionRunId: 'retry' } }).end,
    ).toEqual({ kind: 'continued', runId: 'retry' });
  });

  it('gives the reason of a cancel as the failure', () => {
    const asked: HistoryEvent = {
      workflowExecutionCancelRequestedEventAttributes: { cause: 'wrong customer' },
    };
    const end: HistoryEvent = { workflowExecutionCanceledEventAttributes: {} };
    expect(statusView(description, history(started, asked, end)).end).toMatchObject({
      failure: { message: 'wrong customer' },
    });
    expect(statusView(description, history(started, end)).end).toMatchObject({
      failure: { message: 'The task was cancelled.' },
    });
  });

  it('shows why its code cannot go on, until it does', () => {
    const failed: HistoryEvent = {
      workflowTaskFailedEventAttributes: { failure: { message: 'key "a#b" holds #' } },
    };
    expect(statusView(description, history(started, failed)).lastFailure).toEqual({
      message: 'key "a#b" holds #',
    });
    const later = history(started, failed, { workflowTaskCompletedEventAttributes: {} });
    expect(statusView(description, later).lastFailure).toBeUndefined();
  });

  it('takes a key that was scheduled again after a retry for open', () => {
    const events = history(
      started,
      scheduled('a'),
      { activityTaskFailedEventAttributes: { scheduledEventId: id(2), startedEventId: id(2) } },
      { workflowTaskFailedEventAttributes: { newRunId: 'new' } },
      scheduled('a'),
    );
    expect(
      statusView(pendingWith({ activityId: 'a', attempt: 1, state: 1 }), events),
    ).toMatchObject({
      status: 'processing',
      currentStep: 'a',
    });
  });
});

it('tells our keys from a repeat of the user’s', () => {
  expect(['#x', 'job#submit', 'job#poll#2'].map(isInternalKey)).toEqual([true, true, true]);
  expect(['job', 'job#2', 'job#12'].map(isInternalKey)).toEqual([false, false, false]);
});
