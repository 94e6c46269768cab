import { expect, test } from 'vitest';
import { DraftDriver, idOf, payloadsOf } from '../../test/draft-driver.ts';
import { flushBuffer } from './buffer.ts';
import { startChild } from './child-command.ts';
import { childClosed, childStartFailed, childStarted, closeChildren } from './child.ts';
import { EventType, ParentClosePolicy, RetryState, WorkflowTaskFailedCause } from './proto.ts';
import type { Command, HistoryEvent } from './proto.ts';
import { durationOf, msOfDuration, numberOf } from './time.ts';

type Attributes = NonNullable<Command['startChildWorkflowExecutionCommandAttributes']>;

const completed: HistoryEvent = {
  eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  workflowExecutionCompletedEventAttributes: { result: payloadsOf('42') },
};

class Children extends DraftDriver {
  startChild(changes: Attributes = {}) {
    return this.command(startChild, {
      startChildWorkflowExecutionCommandAttributes: {
        workflowId: 'kid',
        workflowType: { name: 'Kid' },
        ...changes,
      },
    });
  }

  started(childRunId = 'run-1') {
    return this.input(childStarted, { kind: 'childStarted', initiatedEventId: 5, childRunId });
  }

  closed(closeEvent = completed, childRunId = 'run-1', childFirstRunId = 'run-1') {
    return this.input(childClosed, {
      kind: 'childClosed',
      initiatedEventId: 5,
      childRunId,
      childFirstRunId,
      closeEvent,
    });
  }
}

test('a timeout that nobody set is absent from the initiated event MS-2', () => {
  const run = new Children();
  run.startChild();
  const attributes = run.last.events[0]?.startChildWorkflowExecutionInitiatedEventAttributes;
  expect(attributes).toBeDefined();
  expect(attributes).not.toHaveProperty('workflowExecutionTimeout');
  expect(attributes).not.toHaveProperty('workflowRunTimeout');
});

test('a child is initiated with defaults of its parent and started through the outbox CH-1', () => {
  const run = new Children();
  run.startChild({
    workflowExecutionTimeout: durationOf(60_000),
    workflowTaskTimeout: durationOf(500_000),
  });
  expect(run.events).toEqual(['StartChildWorkflowExecutionInitiated']);
  expect(run.last.outbox).toEqual([{ kind: 'startChild', initiatedEventId: 5 }]);
  const attributes = run.last.events[0]?.startChildWorkflowExecutionInitiatedEventAttributes;
  expect(attributes).toMatchObject({
    namespace: 'default',
    namespaceId: 'ns-id',
    taskQueue: { name: 'main' },
    parentClosePolicy: ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE,
  });
  expect(msOfDuration(attributes?.workflowRunTimeout)).toBe(60_000);
  expect(msOfDuration(attributes?.workflowTaskTimeout)).toBe(60_000);
  expect(run.state.children.get(5)).toMatchObject({
    runId: '',
    createRequestId: `${run.state.runId}:5`,
  });
});

test('bad attributes of a child fail the task CH-1', () => {
  const run = new Children();
  const cause =
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES;
  expect(run.startChild({ workflowId: '' })).toMatchObject({ cause });
  expect(run.startChild({ workflowType: null })?.message).toContain(
    'Required field WorkflowType is not set',
  );
  expect(run.startChild({ namespace: 'elsewhere' })?.message).toBe(
    'cross namespace commands are not allowed',
  );
  expect(run.startChild({ retryPolicy: { backoffCoefficient: 0.1 } })?.message).toContain(
    'BackoffCoefficient',
  );
  expect(run.startChild({ cronSchedule: 'often' })?.message).toContain('invalid CronSchedule');
  expect(run.startChild({ workflowRunTimeout: durationOf(-1) })?.message).toContain(
    'Invalid WorkflowRunTimeout',
  );
});

test('too many children fail the task, an oversized input terminates WT-20', () => {
  const run = new Children();
  run.limits = { ...run.limits, pendingChildrenMax: 1, payloadBytesMax: 3 };
  expect(run.startChild({ input: payloadsOf('1234') })).toMatchObject({ terminate: true });
  run.startChild();
  expect(run.startChild()?.message).toContain('pending child workflow executions, 1');
});

test('a child whose id is taken is recorded as not started CH-1', () => {
  const run = new Children();
  run.startChild({ control: '3' });
  const cause = 'WORKFLOW_ALREADY_EXISTS';
  run.input(childStartFailed, { kind: 'childStartFailed', initiatedEventId: 5, cause });
  expect(run.events).toEqual(['StartChildWorkflowExecutionFailed', 'WorkflowTaskScheduled']);
  expect(run.last.events[0]?.startChildWorkflowExecutionFailedEventAttributes).toMatchObject({
    cause: 1,
    control: '3',
  });
  expect(run.state.children.size).toBe(0);
});

test('the start is recorded once, and each message confirms the child CH-2', () => {
  const run = new Children();
  run.startChild();
  run.started();
  expect(run.events).toEqual(['ChildWorkflowExecutionStarted', 'WorkflowTaskScheduled']);
  const confirm = { kind: 'confirmChild', namespaceId: 'ns-id', workflowId: 'kid', runId: 'run-1' };
  expect(run.last.outbox).toEqual([confirm]);
  expect(run.state.children.get(5)).toMatchObject({ runId: 'run-1', startedEventId: 6 });
  run.started();
  expect([run.events, run.last.outbox]).toEqual([[], [confirm]]);
  run.started('run-of-another');
  expect(run.last.changed).toBe(false);
});

test('the close at the end of the chain is recorded with what it carries CH-3', () => {
  const of = (closeEvent: HistoryEvent) => {
    const run = new Children();
    run.startChild();
    run.started();
    run.clearWorkflowTask();
    run.closed(closeEvent, 'run-9');
    expect(run.state.children.size).toBe(0);
    expect(run.events[1]).toBe('WorkflowTaskScheduled');
    return run;
  };
  const run = of(completed);
  expect(run.events[0]).toBe('ChildWorkflowExecutionCompleted');
  const attributes = run.last.events[0]?.childWorkflowExecutionCompletedEventAttributes;
  expect(attributes).toMatchObject({
    result: payloadsOf('42'),
    workflowExecution: { workflowId: 'kid', runId: 'run-9' },
    workflowType: { name: 'Kid' },
  });
  expect([numberOf(attributes?.initiatedEventId), numberOf(attributes?.startedEventId)]).toEqual([
    5, 6,
  ]);
  const retryState = RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED;
  const failed = of({
    eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    workflowExecutionFailedEventAttributes: { failure: { message: 'no' }, retryState },
  });
  expect(failed.last.events[0]?.childWorkflowExecutionFailedEventAttributes).toMatchObject({
    failure: { message: 'no' },
    retryState,
  });
  const names = {
    [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED]: 'ChildWorkflowExecutionCanceled',
    [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT]: 'ChildWorkflowExecutionTimedOut',
    [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED]: 'ChildWorkflowExecutionTerminated',
  };
  for (const [eventType, name] of Object.entries(names)) {
    expect(of({ eventType: Number(eventType) }).events[0]).toBe(name);
  }
});

test('a missing start is written before the close, a second close and that of another chain are nothing CH-3', () => {
  const run = new Children();
  run.startChild();
  run.closed(completed, 'run-2', 'run-1');
  expect(run.events).toEqual([
    'ChildWorkflowExecutionStarted',
    'ChildWorkflowExecutionCompleted',
    'WorkflowTaskScheduled',
  ]);
  const [started, closed] = run.last.events;
  expect(started?.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.runId).toBe(
    'run-1',
  );
  expect(numberOf(closed?.childWorkflowExecutionCompletedEventAttributes?.startedEventId)).toBe(
    idOf(started),
  );
  expect([run.closed().ok, run.last.changed]).toEqual([true, false]);
  const other = new Children();
  other.startChild();
  other.started();
  other.closed(completed, 'x', 'x');
  expect(other.last.changed).toBe(false);
});

test('a start and a close that came during a workflow task are wired when the buffer is flushed WT-34', () => {
  const run = new Children();
  run.startChild();
  run.startWorkflowTask();
  run.started();
  run.closed();
  expect(run.buffered).toEqual([
    'ChildWorkflowExecutionStarted',
    'ChildWorkflowExecutionCompleted',
  ]);
  run.clearWorkflowTask();
  run.step((draft) => flushBuffer(draft));
  const [started, closed] = run.last.events;
  expect(numberOf(closed?.childWorkflowExecutionCompletedEventAttributes?.startedEventId)).toBe(
    idOf(started),
  );
});

test('at the close children are terminated, asked to cancel, or left alone CH-4', () => {
  const run = new Children();
  run.startChild();
  run.started();
  run.clearWorkflowTask();
  run.startChild({
    workflowId: 'asked',
    parentClosePolicy: ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
  });
  run.startChild({
    workflowId: 'free',
    parentClosePolicy: ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON,
  });
  run.step((draft) => closeChildren(draft));
  expect(run.last.outbox).toEqual([
    {
      kind: 'closeChild',
      policy: 'terminate',
      namespaceId: 'ns-id',
      workflowId: 'kid',
      runId: 'run-1',
    },
    {
      kind: 'closeChild',
      policy: 'requestCancel',
      namespaceId: 'ns-id',
      workflowId: 'asked',
      runId: '',
    },
  ]);
});

test("a child that its parent was told of otherwise is nobody's: not started, or of another run CH-1", () => {
  const failed = new Children();
  failed.startChild();
  failed.input(childStartFailed, {
    kind: 'childStartFailed',
    initiatedEventId: 5,
    cause: 'WORKFLOW_ALREADY_EXISTS',
  });
  expect(failed.started()).toMatchObject({ ok: false, refusal: { code: 'NOT_FOUND' } });
  const other = new Children();
  other.startChild();
  other.started('run-1');
  expect(other.started('run-2')).toMatchObject({ ok: false, refusal: { code: 'NOT_FOUND' } });
  expect(other.started('run-1')).toMatchObject({ ok: true });
});
