import { expect, it } from 'vitest';
import { decideSignalWithStart, decideStart } from './start-policy.ts';
import type { CurrentRun } from './start-policy.ts';
import type { RunStatus } from './state.ts';

const current = (status: RunStatus): CurrentRun => ({
  status,
  runId: 'run-1',
  firstRunId: 'run-0',
  scheduledBy: undefined,
  createRequestId: 'start-1',
  requestIds: new Map([['attached', { eventType: 1, eventId: 1 }]]),
  signalRequestIds: new Set(),
});
const request = (changes: object = {}) => ({ workflowId: 'wf', requestId: 'start-2', ...changes });

it('an unused id starts', () => {
  expect(decideStart(undefined, request())).toEqual({ kind: 'start' });
  expect(decideSignalWithStart(undefined, request())).toEqual({ kind: 'start' });
});

it('the request that made the current run gets the same run, open or closed (ID-1)', () => {
  for (const status of ['running', 'completed'] as const) {
    expect(
      decideStart(current(status), request({ requestId: 'start-1', workflowIdReusePolicy: 3 })),
    ).toEqual({
      kind: 'useExisting',
      runId: 'run-1',
      started: true,
    });
  }
  expect(decideStart(current('running'), request({ requestId: 'attached' }))).toMatchObject({
    started: false,
  });
});

it('an action of a schedule starts one chain, however far that has gone since (SC-1)', () => {
  const action = { namespaceId: 'ns', workflowId: 'schedule', runId: 'schedule-1', actionId: 6 };
  for (const status of ['running', 'failed'] as const) {
    const followed = { ...current(status), scheduledBy: action };
    expect(decideStart(followed, request(), action)).toEqual({
      kind: 'useExisting',
      runId: 'run-0',
      started: true,
    });
    const another = { ...action, actionId: 7 };
    expect(decideStart(followed, request(), another).kind).not.toBe('useExisting');
  }
});

it('a running id is refused with its run id and start request id (ID-2)', () => {
  for (const policy of [0, 1]) {
    expect(decideStart(current('running'), request({ workflowIdConflictPolicy: policy }))).toEqual({
      kind: 'refuse',
      refusal: {
        code: 'ALREADY_EXISTS',
        message: 'Workflow execution is already running. WorkflowId: wf, RunId: run-1.',
        detail: {
          kind: 'workflowExecutionAlreadyStarted',
          startRequestId: 'start-1',
          runId: 'run-1',
        },
      },
    });
  }
});

it('a running id is used or terminated when the policy says so (ID-2)', () => {
  expect(decideStart(current('created'), request({ workflowIdConflictPolicy: 2 }))).toEqual({
    kind: 'useExisting',
    runId: 'run-1',
    started: false,
  });
  const terminated = { kind: 'terminateAndStart', runId: 'run-1' };
  expect(decideStart(current('running'), request({ workflowIdConflictPolicy: 3 }))).toEqual(
    terminated,
  );
  expect(decideStart(current('running'), request({ workflowIdReusePolicy: 4 }))).toEqual(
    terminated,
  );
});

it('a closed id starts again unless the policy forbids it (ID-3)', () => {
  const kindOf = (status: RunStatus, workflowIdReusePolicy: number) =>
    decideStart(current(status), request({ workflowIdReusePolicy })).kind;
  expect(kindOf('completed', 0)).toBe('start');
  expect(kindOf('completed', 1)).toBe('start');
  expect(kindOf('completed', 2)).toBe('refuse');
  for (const status of ['failed', 'canceled', 'terminated', 'timedOut'] as const) {
    expect(kindOf(status, 2)).toBe('start');
    expect(kindOf(status, 3)).toBe('refuse');
  }
});

it('signal-with-start signals an open run and starts over a closed one (SG-3)', () => {
  expect(decideSignalWithStart(current('running'), request())).toEqual({
    kind: 'signal',
    runId: 'run-1',
  });
  expect(decideSignalWithStart(current('completed'), request())).toEqual({ kind: 'start' });
  expect(
    decideSignalWithStart(current('completed'), request({ workflowIdReusePolicy: 3 })).kind,
  ).toBe('refuse');
  expect(
    decideSignalWithStart(current('running'), request({ workflowIdConflictPolicy: 3 })).kind,
  ).toBe('terminateAndStart');
});

it('signal-with-start knows the run that it made itself, and none of a plain start with its request id (SG-1, ID-1)', () => {
  const again = request({ requestId: 'start-1', workflowIdConflictPolicy: 3 });
  for (const status of ['running', 'completed'] as const) {
    const own = { ...current(status), signalRequestIds: new Set(['start-1']) };
    expect(decideSignalWithStart(own, again)).toMatchObject({ runId: 'run-1' });
    expect(['signal', 'useExisting']).toContain(decideSignalWithStart(own, again).kind);
  }
  expect(decideSignalWithStart(current('completed'), again)).toEqual({ kind: 'start' });
  expect(decideSignalWithStart(current('running'), again).kind).toBe('terminateAndStart');
});
