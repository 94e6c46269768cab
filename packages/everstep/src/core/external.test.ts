import { expect, test } from 'vitest';
import { DraftDriver, payloadsOf } from '../../test/draft-driver.ts';
import { startChild } from './child-command.ts';
import {
  cancelExternal,
  externalCancelResolved,
  externalSignalResolved,
  signalExternal,
} from './external.ts';
import { WorkflowTaskFailedCause } from './proto.ts';
import type { Command } from './proto.ts';
import { numberOf } from './time.ts';

type SignalAttributes = NonNullable<Command['signalExternalWorkflowExecutionCommandAttributes']>;

class Externals extends DraftDriver {
  signal(changes: SignalAttributes = {}) {
    return this.command(signalExternal, {
      signalExternalWorkflowExecutionCommandAttributes: {
        execution: { workflowId: 'other' },
        signalName: 'go',
        control: '7',
        ...changes,
      },
    });
  }

  cancel(workflowId = 'other') {
    return this.command(cancelExternal, {
      requestCancelExternalWorkflowExecutionCommandAttributes: { workflowId, reason: 'late' },
    });
  }

  resolveSignal(failedCause?: number) {
    const cause = failedCause === undefined ? {} : { failedCause };
    return this.input(externalSignalResolved, {
      kind: 'externalSignalResolved',
      initiatedEventId: 5,
      ...cause,
    });
  }

  resolveCancel(failedCause?: number) {
    const cause = failedCause === undefined ? {} : { failedCause };
    return this.input(externalCancelResolved, {
      kind: 'externalCancelResolved',
      initiatedEventId: 5,
      ...cause,
    });
  }
}

test('an external signal is initiated with a stored request id and sent through the outbox SG-4', () => {
  const run = new Externals();
  expect(run.signal({ input: payloadsOf('x') })).toBeUndefined();
  expect(run.events).toEqual(['SignalExternalWorkflowExecutionInitiated']);
  expect(run.last.outbox).toEqual([{ kind: 'signalExternal', initiatedEventId: 5 }]);
  expect(run.state.externalSignals.get(5)?.requestId).toBe(`${run.state.runId}:5`);
});

test('the outcome of an external signal is recorded once, with a workflow task SG-4', () => {
  const run = new Externals();
  run.signal();
  expect(run.resolveSignal().ok).toBe(true);
  expect(run.events).toEqual(['ExternalWorkflowExecutionSignaled', 'WorkflowTaskScheduled']);
  expect(run.last.events[0]?.externalWorkflowExecutionSignaledEventAttributes).toMatchObject({
    namespace: 'default',
    namespaceId: 'ns-id',
    workflowExecution: { workflowId: 'other', runId: '' },
    control: '7',
  });
  expect([run.resolveSignal().ok, run.last.changed]).toEqual([true, false]);
});

test('an external signal that found nobody or too many signals fails with its cause SG-4', () => {
  const run = new Externals();
  run.signal();
  run.resolveSignal(3);
  expect(run.events[0]).toBe('SignalExternalWorkflowExecutionFailed');
  expect(run.last.events[0]?.signalExternalWorkflowExecutionFailedEventAttributes?.cause).toBe(3);
  expect(run.state.externalSignals.size).toBe(0);
});

test('a bad target fails the task SG-4', () => {
  const run = new Externals();
  const cause =
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
  expect(run.signal({ execution: null })).toMatchObject({ cause });
  expect(run.signal({ execution: { workflowId: '' } })?.message).toContain('WorkflowId is not set');
  expect(run.signal({ execution: { workflowId: 'o', runId: 'no' } })?.message).toContain(
    'Invalid RunId set',
  );
  expect(run.signal({ signalName: '' })?.message).toContain('SignalName is not set');
  expect(run.signal({ namespace: 'elsewhere' })?.message).toBe(
    'cross namespace commands are not allowed',
  );
});

test('an external cancel is initiated, sent and resolved likewise SG-5', () => {
  const run = new Externals();
  expect(run.cancel()).toBeUndefined();
  expect(run.last.outbox).toEqual([{ kind: 'cancelExternal', initiatedEventId: 5 }]);
  expect(run.resolveCancel().ok).toBe(true);
  expect(run.events).toEqual(['ExternalWorkflowExecutionCancelRequested', 'WorkflowTaskScheduled']);
  expect([run.resolveCancel(1).ok, run.last.changed]).toEqual([true, false]);
});

test('an external cancel that found nobody fails with its cause SG-5', () => {
  const run = new Externals();
  run.cancel();
  run.resolveCancel(1);
  const attributes =
    run.last.events[0]?.requestCancelExternalWorkflowExecutionFailedEventAttributes;
  expect([run.events[0], attributes?.cause]).toEqual([
    'RequestCancelExternalWorkflowExecutionFailed',
    1,
  ]);
  expect(attributes).not.toHaveProperty('control');
});

test('a child started by the same task cannot be cancelled with it SG-5', () => {
  const run = new Externals();
  const problem = run.step((draft) => {
    startChild(
      draft,
      {
        startChildWorkflowExecutionCommandAttributes: {
          workflowId: 'kid',
          workflowType: { name: 'K' },
        },
      },
      run.context,
    );
    return cancelExternal(
      draft,
      { requestCancelExternalWorkflowExecutionCommandAttributes: { workflowId: 'kid' } },
      run.context,
    );
  });
  expect(problem?.message).toContain('is not allowed in same workflow task');
});

test('too many pending signals and cancels fail the task, an oversized input terminates WT-20', () => {
  const run = new Externals();
  run.limits = { ...run.limits, pendingSignalsMax: 1, pendingCancelsMax: 1, payloadBytesMax: 3 };
  expect(run.signal({ input: payloadsOf('1234') })).toMatchObject({ terminate: true });
  run.signal();
  expect(run.signal()?.message).toContain('pending signals to external workflows, 1');
  run.cancel();
  expect(run.cancel()).toMatchObject({
    cause: WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED,
  });
  expect(numberOf(run.state.nextEventId)).toBe(7);
});
