import { expect } from 'vitest';
import proto from '@temporalio/proto';
import { completeRun, failRun } from '../../test/command-kit.ts';
import { decoded, durationOf, refused } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';

const { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } = proto.temporal.api.enums.v1;
const useExisting = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING;
const terminateExisting = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING;
const failedOnly = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY;
const rejectDuplicate = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE;

export function describeStarts(scenario: Scenario): void {
  scenario(
    'An eager start hands over its first workflow task with the reply (EV)',
    async (host) => {
      const { eagerWorkflowTask } = await host.startReply('a', { requestEagerExecution: true });
      expect(eagerWorkflowTask?.history?.events).toHaveLength(3);
      expect(await host.tryPoll()).toBeUndefined();
      await host.complete(eagerWorkflowTask ?? {}, [completeRun()]);
      expect(await host.status('a')).toBe('COMPLETED');
    },
  );

  scenario(
    'A start writes Started and WorkflowTaskScheduled in one commit (EV-2)',
    async (host) => {
      const reply = await host.startReply('a');
      expect(reply).toMatchObject({ started: true, status: 1 });
      expect(await host.names('a')).toEqual(['WorkflowExecutionStarted', 'WorkflowTaskScheduled']);
    },
  );

  scenario('The same request id gives the same run, as started (ID-1)', async (host) => {
    const first = await host.startReply('a', { requestId: 'r' });
    const second = await host.startReply('a', { requestId: 'r' });
    expect(second).toMatchObject({ runId: first.runId, started: true });
    expect(await host.names('a')).toHaveLength(2);
  });

  scenario('The same request id is known after the run has closed (ID-1)', async (host) => {
    const runId = await host.start('a', { requestId: 'r' });
    await host.turn([completeRun()]);
    expect(await host.startReply('a', { requestId: 'r' })).toMatchObject({ runId, started: true });
  });

  scenario('Two starts of one id in one turn make one run (ID-2)', async (host) => {
    const [first, second] = await Promise.allSettled([host.startReply('a'), host.startReply('a')]);
    expect([first.status, second.status].sort()).toEqual(['fulfilled', 'rejected']);
    expect(await host.listed()).toEqual(['a']);
  });

  scenario(
    'A running id is refused with the run id and the request id that has it (ID-2)',
    async (host) => {
      const runId = await host.start('a', { requestId: 'r' });
      const error = await refused(host.start('a', { requestId: 's' }));
      expect(error.code).toBe('ALREADY_EXISTS');
      expect(error.detail).toEqual({
        kind: 'workflowExecutionAlreadyStarted',
        runId,
        startRequestId: 'r',
      });
    },
  );

  scenario('Use existing gives the running run, not started (ID-2)', async (host) => {
    const runId = await host.start('a');
    const reply = await host.startReply('a', { workflowIdConflictPolicy: useExisting });
    expect(reply).toMatchObject({ runId, started: false });
  });

  scenario('Terminate existing ends the old run and starts the new (ID-2)', async (host) => {
    const old = await host.start('a');
    const runId = await host.start('a', { workflowIdConflictPolicy: terminateExisting });
    expect(runId).not.toBe(old);
    expect(await host.status('a', old)).toBe('TERMINATED');
    const terminated = await host.event('a', 'WorkflowExecutionTerminated', old);
    const details = terminated.workflowExecutionTerminatedEventAttributes?.details;
    expect(decoded(details)).toBe(`terminated by new runID: ${runId}`);
    expect(await host.status('a')).toBe('RUNNING');
    const { workflowExecutionInfo } = await host.describe('a');
    expect(workflowExecutionInfo?.execution?.runId).toBe(runId);
    expect((await host.poll()).workflowExecution?.runId).toBe(runId);
    expect(await host.tryPoll()).toBeUndefined();
  });

  scenario('A closed id starts anew by default (ID-3)', async (host) => {
    const old = await host.start('a');
    await host.turn([completeRun()]);
    expect(await host.start('a')).not.toBe(old);
  });

  scenario('Failed only starts anew after a failure, not after a success (ID-3)', async (host) => {
    await host.start('a');
    await host.turn([completeRun()]);
    const policy = { workflowIdReusePolicy: failedOnly };
    expect((await refused(host.start('a', policy))).code).toBe('ALREADY_EXISTS');
    await host.start('b');
    await host.turn([failRun()]);
    expect(await host.start('b', policy)).not.toBe('');
    await host.start('c');
    await host.terminate('c');
    expect(await host.start('c', policy)).not.toBe('');
  });

  scenario('Reject duplicate refuses a closed id (ID-3)', async (host) => {
    await host.start('a');
    await host.turn([failRun()]);
    const error = await refused(host.start('a', { workflowIdReusePolicy: rejectDuplicate }));
    expect(error.code).toBe('ALREADY_EXISTS');
  });

  scenario('Two processes that start one id at once make one run (ID-2)', async (host, world) => {
    const other = await world.host();
    const results = await Promise.allSettled([host.start('a'), other.start('a')]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await host.listed()).toEqual(['a']);
    expect(await host.tryPoll()).toBeDefined();
    expect(await other.tryPoll()).toBeUndefined();
  });

  scenario(
    'Two processes that start one id with one request id are both given its run (ID-1)',
    async (host, world) => {
      const other = await world.host();
      const request = { requestId: 'r' };
      const [one, two] = await Promise.all([host.start('a', request), other.start('a', request)]);
      expect(one).toBe(two);
      expect(await host.listed()).toEqual(['a']);
    },
  );

  scenario(
    'Ten starts of one id with use existing agree on one run (ID-2)',
    async (host, world) => {
      const other = await world.host();
      const request = { workflowIdConflictPolicy: useExisting };
      const runIds = await Promise.all(
        Array.from({ length: 10 }, (_, index) => (index % 2 ? host : other).start('a', request)),
      );
      expect(new Set(runIds).size).toBe(1);
    },
  );

  scenario('Ten that terminate the existing run leave one open (ID-2)', async (host, world) => {
    const other = await world.host();
    const request = { workflowIdConflictPolicy: terminateExisting };
    const runIds = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 ? host : other).start('a', request)),
    );
    expect(new Set(runIds).size).toBe(10);
    const { count } = await host.service.countWorkflowExecutions({
      namespace: 'default',
      query: "ExecutionStatus = 'Running'",
    });
    expect(Number(count)).toBe(1);
    expect(await host.listed()).toHaveLength(10);
  });

  scenario('A delayed start has no workflow task before its time (MS-2)', async (host, world) => {
    await host.start('a', { workflowStartDelay: durationOf(60_000) });
    expect(await host.names('a')).toEqual(['WorkflowExecutionStarted']);
    await host.signal('a');
    await world.clock.advance(59_999);
    expect(await host.tryPoll()).toBeUndefined();
    await world.clock.advance(1);
    expect((await host.poll()).history?.events).toHaveLength(4);
  });

  scenario('A signal-with-start wakes a run that is still delayed (SG-3)', async (host) => {
    await host.start('a', { workflowStartDelay: durationOf(60_000) });
    await host.service.signalWithStartWorkflowExecution({
      namespace: 'default',
      workflowId: 'a',
      workflowType: { name: 'Order' },
      taskQueue: { name: 'orders' },
      signalName: 'go',
    });
    expect(await host.names('a', '', 2)).toEqual([
      'WorkflowExecutionSignaled',
      'WorkflowTaskScheduled',
    ]);
  });

  scenario(
    'A start without its fields is refused and leaves nothing (section 14)',
    async (host) => {
      expect((await refused(host.start(''))).code).toBe('INVALID_ARGUMENT');
      expect((await refused(host.start('a', { taskQueue: null }))).code).toBe('INVALID_ARGUMENT');
      expect((await refused(host.start('a', { workflowType: null }))).code).toBe(
        'INVALID_ARGUMENT',
      );
      expect((await refused(host.start('x'.repeat(1_001)))).code).toBe('INVALID_ARGUMENT');
      expect((await refused(host.start('a', { namespace: 'none' }))).detail).toMatchObject({
        kind: 'namespaceNotFound',
      });
      expect(await host.listed()).toEqual([]);
    },
  );

  scenario('Signal-with-start starts and signals in one commit (SG-3)', async (host) => {
    const reply = await signalWithStart(host, 'a');
    expect(reply.started).toBe(true);
    expect(await host.names('a')).toEqual([
      'WorkflowExecutionStarted',
      'WorkflowExecutionSignaled',
      'WorkflowTaskScheduled',
    ]);
  });

  scenario('Signal-with-start signals a running run (SG-3)', async (host) => {
    const runId = await host.start('a');
    expect(await signalWithStart(host, 'a')).toMatchObject({ runId, started: false });
    expect((await host.names('a')).at(-1)).toBe('WorkflowExecutionSignaled');
  });

  scenario('A repeated signal-with-start has its effect once (SG-3)', async (host) => {
    const first = await signalWithStart(host, 'a', 'r');
    const second = await signalWithStart(host, 'a', 'r');
    expect(second.runId).toBe(first.runId);
    expect(await host.names('a')).toHaveLength(3);
  });

  scenario('Signals-with-start of two processes all reach one run (SG-3)', async (host, world) => {
    const other = await world.host();
    const replies = await Promise.all(
      Array.from({ length: 6 }, (_, index) => signalWithStart(index % 2 ? host : other, 'a')),
    );
    expect(new Set(replies.map((reply) => reply.runId)).size).toBe(1);
    expect(replies.filter((reply) => reply.started)).toHaveLength(1);
    const names = await host.names('a');
    expect(names.filter((name) => name === 'WorkflowExecutionSignaled')).toHaveLength(6);
  });
}

function signalWithStart(host: Host, workflowId: string, requestId = '') {
  return host.service.signalWithStartWorkflowExecution({
    namespace: 'default',
    workflowId,
    workflowType: { name: 'Order' },
    taskQueue: { name: 'orders' },
    signalName: 'go',
    requestId,
  });
}
