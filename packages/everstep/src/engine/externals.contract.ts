import { expect } from 'vitest';
import proto from '@temporalio/proto';
import { cancelOther, cancelRun, completeRun, signalOther } from '../../test/command-kit.ts';
import { refused } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';

const {
  CancelExternalWorkflowExecutionFailedCause: Cancel,
  SignalExternalWorkflowExecutionFailedCause: Signal,
} = proto.temporal.api.enums.v1;
const signalNotFound =
  Signal.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
const cancelNotFound =
  Cancel.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;

export function describeExternals(scenario: Scenario): void {
  scenario('A signal of one request id has its effect once (SG-1)', async (host) => {
    await host.start('a');
    await host.signal('a', 'go', 'r');
    await host.signal('a', 'go', 'r');
    expect(await host.names('a', '', 3)).toEqual(['WorkflowExecutionSignaled']);
    await host.turn([completeRun()]);
    await host.signal('a', 'go', 'r');
  });

  scenario('A signal to a closed or unknown run is not found (SG-2)', async (host) => {
    const runId = await host.start('a');
    await host.turn([completeRun()]);
    const closed = await refused(host.signal('a'));
    expect(closed).toMatchObject({
      code: 'NOT_FOUND',
      message: 'workflow execution already completed',
    });
    expect((await refused(host.signal('b'))).code).toBe('NOT_FOUND');
    expect((await refused(host.signal('b', 'go', '', runId))).code).toBe('NOT_FOUND');
    expect((await refused(host.signal('a', 'go', '', 'no-uuid'))).code).toBe('INVALID_ARGUMENT');
    expect((await refused(host.signal('a', ''))).code).toBe('INVALID_ARGUMENT');
  });

  // A database of several connections answers as it comes to it, so there the order is not promised.
  scenario(
    'Fifty signals at once are all written, each once, in order where one connection writes (SG-1)',
    async (host) => {
      await host.start('a');
      await Promise.all(Array.from({ length: 50 }, (_, index) => host.signal('a', `s${index}`)));
      const names = (await host.history('a')).flatMap(
        (event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? [],
      );
      const sent = Array.from({ length: 50 }, (_, index) => `s${index}`);
      const inOrder = ['memory', 'sqlite'].includes(host.store.kind);
      expect(inOrder ? names : names.toSorted()).toEqual(inOrder ? sent : sent.toSorted());
    },
  );

  scenario('A run signals another (SG-4)', async (host) => {
    await pair(host);
    await host.turn([signalOther('b', 'hello')]);
    expect((await host.names('a')).slice(-2)).toEqual([
      'ExternalWorkflowExecutionSignaled',
      'WorkflowTaskScheduled',
    ]);
    const event = await host.event('b', 'WorkflowExecutionSignaled');
    expect(event.workflowExecutionSignaledEventAttributes).toMatchObject({
      signalName: 'hello',
      externalWorkflowExecution: { workflowId: 'a' },
    });
  });

  scenario('A signal to oneself, to nobody and to a closed run fails (SG-4)', async (host) => {
    await pair(host);
    await host.terminate('b');
    for (const target of ['a', 'nobody', 'b']) {
      await host.turn([signalOther(target)]);
      const event = await host.event('a', 'SignalExternalWorkflowExecutionFailed');
      expect(event.signalExternalWorkflowExecutionFailedEventAttributes).toMatchObject({
        cause: signalNotFound,
        workflowExecution: { workflowId: target },
      });
    }
    expect(await host.names('a')).not.toContain('WorkflowExecutionSignaled');
  });

  scenario('A run asks another to cancel (SG-5)', async (host) => {
    await pair(host);
    await host.turn([cancelOther('b')]);
    expect((await host.names('a')).slice(-2)).toEqual([
      'ExternalWorkflowExecutionCancelRequested',
      'WorkflowTaskScheduled',
    ]);
    const event = await host.event('b', 'WorkflowExecutionCancelRequested');
    expect(event.workflowExecutionCancelRequestedEventAttributes).toMatchObject({
      externalWorkflowExecution: { workflowId: 'a' },
      identity: 'history-service',
    });
  });

  scenario('Cancelling a closed run succeeds, cancelling nobody fails (SG-5)', async (host) => {
    await pair(host);
    await host.terminate('b');
    await host.turn([cancelOther('b')]);
    expect((await host.names('a')).at(-2)).toBe('ExternalWorkflowExecutionCancelRequested');
    await host.turn([cancelOther('nobody')]);
    const event = await host.event('a', 'RequestCancelExternalWorkflowExecutionFailed');
    expect(event.requestCancelExternalWorkflowExecutionFailedEventAttributes?.cause).toBe(
      cancelNotFound,
    );
  });

  scenario('A second cancel succeeds and adds nothing (SG-5)', async (host) => {
    await host.start('a');
    await host.cancel('a');
    await host.cancel('a');
    expect(await host.names('a', '', 3)).toEqual(['WorkflowExecutionCancelRequested']);
    expect((await host.describe('a')).workflowExtendedInfo?.cancelRequested).toBe(true);
    await host.turn([cancelRun()]);
    expect(await host.status('a')).toBe('CANCELED');
    expect((await refused(host.cancel('nobody'))).code).toBe('NOT_FOUND');
  });

  scenario('A cancel reaches a run that is still delayed (SG-5)', async (host) => {
    await host.start('a', { workflowStartDelay: { seconds: null, nanos: 500_000_000 } });
    await host.cancel('a');
    expect((await host.names('a')).at(-1)).toBe('WorkflowTaskScheduled');
  });
}

async function pair(host: Host): Promise<void> {
  await host.start('a');
  await host.start('b', { taskQueue: { name: 'others' } });
}
