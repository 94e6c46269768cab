import { expect, test } from 'vitest';
import { DraftDriver, payloadsOf, startedAt } from '../../test/draft-driver.ts';
import { requestCancel } from './cancel.ts';
import type { InputOf } from './input.ts';
import { signal } from './signal.ts';
import type { RunState } from './state.ts';

class Signals extends DraftDriver {
  signal(changes: Partial<InputOf<'signal'>> = {}) {
    const base = { kind: 'signal', signalName: 'go', identity: 'client', requestId: '' } as const;
    return this.input(signal, { ...base, ...changes });
  }

  cancel(changes: Partial<InputOf<'requestCancel'>> = {}) {
    const base = {
      kind: 'requestCancel',
      requestId: 'c1',
      identity: 'client',
      reason: 'enough',
    } as const;
    return this.input(requestCancel, { ...base, ...changes });
  }
}

const delayed: Partial<RunState> = {
  status: 'created',
  executionTime: startedAt + 60_000,
  firstTaskBackoffMs: 60_000,
  nextEventId: 2,
};

test('a signal is recorded and gets a workflow task SG-2', () => {
  const run = new Signals();
  expect(run.signal({ input: payloadsOf('1'), requestId: 'r1' }).ok).toBe(true);
  expect(run.events).toEqual(['WorkflowExecutionSignaled', 'WorkflowTaskScheduled']);
  expect(run.last.events[0]?.workflowExecutionSignaledEventAttributes).toEqual({
    signalName: 'go',
    input: payloadsOf('1'),
    identity: 'client',
    requestId: 'r1',
  });
  expect(run.state.signalCount).toBe(1);
});

test('a request id seen before is a success without an event, even on a closed run SG-1', () => {
  const run = new Signals();
  run.signal({ requestId: 'r1' });
  expect([run.signal({ requestId: 'r1' }).ok, run.last.changed]).toEqual([true, false]);
  run.state = { ...run.state, status: 'completed' };
  expect(run.signal({ requestId: 'r1' }).ok).toBe(true);
  expect(run.signal({ requestId: 'r2' })).toMatchObject({
    refusal: { code: 'NOT_FOUND', message: 'workflow execution already completed' },
  });
});

test('the number of signals of a run is limited SG-2', () => {
  const run = new Signals({ signalCount: 10_000 });
  expect(run.signal()).toMatchObject({
    refusal: {
      code: 'INVALID_ARGUMENT',
      message: 'exceeded workflow execution limit for signal events',
    },
  });
});

test('a signal in the backoff before the first workflow task is recorded without a task SG-2', () => {
  const run = new Signals(delayed);
  expect(run.signal().ok).toBe(true);
  expect(run.events).toEqual(['WorkflowExecutionSignaled']);
  expect([run.state.status, run.last.tasks]).toEqual(['created', []]);
});

test('an oversized signal is refused, section 14 SG-2', () => {
  const run = new Signals();
  run.limits = { ...run.limits, payloadBytesMax: 4 };
  expect(run.signal({ input: payloadsOf('12345') })).toMatchObject({
    refusal: { code: 'INVALID_ARGUMENT', message: 'Blob data size exceeds limit.' },
  });
});

test('signals while a refused close is tried again are told that the workflow is busy WT-17', () => {
  const run = new Signals({ closeAttempted: true });
  run.startWorkflowTask();
  expect(run.signal()).toMatchObject({
    refusal: {
      code: 'RESOURCE_EXHAUSTED',
      detail: { kind: 'resourceExhausted', cause: 'busyWorkflow' },
    },
  });
  run.clearWorkflowTask();
  expect(run.signal().ok).toBe(true);
});

test('a signal for a child only reaches a child of its sender SG-4', () => {
  const parent = {
    namespaceId: 'ns-id',
    namespace: 'default',
    workflowId: 'p',
    runId: 'pr',
    initiatedEventId: 5,
  };
  const sender = {
    childWorkflowOnly: true,
    externalWorkflowExecution: { workflowId: 'p', runId: 'pr' },
  };
  expect(new Signals({ parent }).signal(sender).ok).toBe(true);
  expect(new Signals().signal(sender)).toMatchObject({
    refusal: { message: 'workflow parent does not match' },
  });
});

test('a cancel request is recorded once and gets a workflow task; a second adds nothing SG-5', () => {
  const run = new Signals();
  expect(run.cancel().ok).toBe(true);
  expect(run.events).toEqual(['WorkflowExecutionCancelRequested', 'WorkflowTaskScheduled']);
  expect([run.state.cancelRequested, run.state.cancelRequestId]).toEqual([true, 'c1']);
  expect([run.cancel({ requestId: 'c2' }).ok, run.last.changed]).toEqual([true, false]);
});

test('cancelling a closed run succeeds and changes nothing SG-5', () => {
  const run = new Signals({ status: 'completed' });
  expect([run.cancel().ok, run.last.changed]).toEqual([true, false]);
});

test('a cancel request does not wait for the backoff before the first workflow task SG-5', () => {
  const run = new Signals(delayed);
  run.cancel();
  expect(run.events).toEqual(['WorkflowExecutionCancelRequested', 'WorkflowTaskScheduled']);
  expect(run.state.status).toBe('running');
});
