import { expect } from 'vitest';
import proto from '@temporalio/proto';
import { child, completeRun, continueAsNew, failRun, step } from '../../test/command-kit.ts';
import { longOf, refused } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';
import { StoreTap } from '../../test/store-tap.ts';

const { ParentClosePolicy, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;

export function describeResets(scenario: Scenario): void {
  scenario(
    'A reset ends the current run and starts another from the point (RS-2)',
    async (host) => {
      const old = await host.start('a');
      await host.turn([step('s')]);
      await host.completeStep(await host.pollStep());
      await host.turn([]);
      await host.signal('a', 'late');
      const runId = await reset(host, 'a', 4);
      expect(await host.status('a', old)).toBe('TERMINATED');
      expect(await host.names('a', runId)).toEqual([
        'WorkflowExecutionStarted',
        'WorkflowTaskScheduled',
        'WorkflowTaskStarted',
        'WorkflowTaskFailed',
        'WorkflowExecutionSignaled',
        'WorkflowTaskScheduled',
      ]);
      const failed = await host.event('a', 'WorkflowTaskFailed', runId);
      expect(failed.workflowTaskFailedEventAttributes).toMatchObject({
        cause: WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
        baseRunId: old,
        newRunId: runId,
        identity: 'history-service',
      });
      const terminated = await host.event('a', 'WorkflowExecutionTerminated', old);
      expect(terminated.workflowExecutionTerminatedEventAttributes?.identity).toBe(
        'history-resetter',
      );
      const { workflowExecutionInfo, workflowExtendedInfo } = await host.describe('a');
      expect(workflowExecutionInfo?.execution?.runId).toBe(runId);
      expect(workflowExtendedInfo?.lastResetTime).toEqual(workflowExecutionInfo?.startTime);
      await host.turn([completeRun()]);
      expect(await host.status('a')).toBe('COMPLETED');
    },
  );

  scenario(
    'A reset waits for what is being written, and takes it along (RS-2)',
    async (first, world) => {
      await first.leave();
      const tap = new StoreTap();
      const host = await world.host({ wrap: tap.wrap });
      const old = await host.start('a');
      await host.turn([step('s')]);
      let answer = (): void => undefined;
      const answers = new Promise<void>((resolve) => {
        answer = resolve;
      });
      tap.after = () => answers;
      const signalled = host.signal('a', 'late');
      await world.clock.settle();
      const resetting = reset(host, 'a', 4, old);
      await world.clock.settle();
      answer();
      const runId = await resetting;
      await signalled;
      expect(await host.names('a', runId)).toContain('WorkflowExecutionSignaled');
      expect(await host.status('a', old)).toBe('TERMINATED');
      expect((await host.names('a', old)).at(-1)).toBe('WorkflowExecutionTerminated');
    },
  );

  scenario('A closed run is reset by its run id (RS-3)', async (host) => {
    const old = await host.start('a');
    await host.turn([failRun()]);
    const runId = await reset(host, 'a', 4, old);
    expect(await host.status('a', old)).toBe('FAILED');
    expect(await host.status('a', runId)).toBe('RUNNING');
    await host.turn([completeRun()]);
    expect(await host.status('a')).toBe('COMPLETED');
  });

  scenario(
    'A reset of an earlier run leaves what a later one of the id was sent (RS-2)',
    async (host) => {
      const first = await host.start('a');
      await host.signal('a', 'of the first');
      await host.turn([completeRun()]);
      const second = await host.start('a');
      await host.signal('a', 'of the second');
      const runId = await reset(host, 'a', 5, first);
      expect(await signals(host, runId)).toEqual(['of the first']);
      expect(await host.status('a', second)).toBe('TERMINATED');
      expect((await host.describe('a', first)).workflowExtendedInfo?.resetRunId).toBe(runId);
      expect((await host.describe('a', second)).workflowExtendedInfo?.resetRunId ?? '').toBe('');
    },
  );

  scenario(
    'A reset of an earlier run ends a later one as any end would: parent and children hear of it (RS-2, CH-3, CH-4)',
    async (host, world) => {
      const first = await host.start('middle');
      await host.turn([completeRun()]);
      await host.start('top');
      await host.turn([child('middle')]);
      await world.clock.settle();
      await host.turn([child('bottom')], 'parcels');
      await world.clock.settle();
      await reset(host, 'middle', 4, first);
      await world.clock.settle();
      expect(await host.status('bottom')).toBe('TERMINATED');
      expect(await host.names('top')).toContain('ChildWorkflowExecutionTerminated');
    },
  );

  scenario('A reset follows the runs that continued as new (RS-2)', async (host) => {
    const first = await host.start('a');
    await host.turn([continueAsNew()]);
    await host.signal('a', 'late');
    const runId = await reset(host, 'a', 4, first);
    expect(await signals(host, runId)).toEqual(['late']);
  });

  scenario(
    'A reset leaves the children of runs that continued as new to those (RS-2)',
    async (host, world) => {
      const abandon = { parentClosePolicy: ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON };
      const first = await host.start('a');
      await host.turn([child('kid', abandon)]);
      await host.turn([continueAsNew()]);
      await host.turn([child('other', abandon)]);
      await world.clock.settle();
      // Both children were asked for by event 5 of their run.
      const runId = await reset(host, 'a', 9, first);
      const names = await host.names('a', runId);
      expect(names.filter((name) => name === 'ChildWorkflowExecutionStarted')).toHaveLength(1);
      const { pendingChildren } = await host.describe('a');
      expect(pendingChildren?.map(({ workflowId }) => workflowId)).toEqual(['kid']);
    },
  );

  scenario('A reset applies what waited for the started task (RS-2, WT-34)', async (host) => {
    await host.start('a');
    await host.poll();
    await host.signal('a', 'waiting');
    const runId = await reset(host, 'a', 3);
    expect(await signals(host, runId)).toEqual(['waiting']);
  });

  scenario('A reset forgets a request to cancel (RS-2)', async (host) => {
    await host.start('a');
    await host.turn([]);
    await host.cancel('a');
    await host.signal('a', 'late');
    const runId = await reset(host, 'a', 4);
    expect(await signals(host, runId)).toEqual(['late']);
    expect(await host.names('a', runId)).not.toContain('WorkflowExecutionCancelRequested');
  });

  scenario('A reset repeated with its request id is the same reset (RS-2)', async (host) => {
    await host.start('a');
    await host.turn([]);
    const runId = await reset(host, 'a', 4, '', 'r');
    expect(await reset(host, 'a', 4, '', 'r')).toBe(runId);
  });

  scenario('A point that is not within a workflow task is refused (RS-1)', async (host) => {
    const runId = await host.start('a');
    await host.turn([step('s')]);
    for (const point of [1, 5, 99]) {
      expect((await refused(reset(host, 'a', point))).code).toBe('INVALID_ARGUMENT');
    }
    expect(await host.status('a', runId)).toBe('RUNNING');
    expect((await refused(reset(host, 'b', 4))).code).toBe('NOT_FOUND');
  });

  scenario('A reset that asks for more than a reset is refused, not done in part', async (host) => {
    const runId = await host.start('a');
    await host.turn([step('s')]);
    const refusal = await refused(
      host.service.resetWorkflowExecution({
        namespace: 'default',
        workflowExecution: { workflowId: 'a' },
        workflowTaskFinishEventId: longOf(4),
        postResetOperations: [{ signalWorkflow: { signalName: 'go' } }],
      }),
    );
    expect(refusal.code).toBe('UNIMPLEMENTED');
    expect(await host.status('a', runId)).toBe('RUNNING');
  });

  scenario(
    'A step answered to the old run changes nothing in the new (RS-2, AC-5)',
    async (host) => {
      await host.start('a');
      await host.turn([step('s')]);
      const task = await host.pollStep();
      const runId = await reset(host, 'a', 4);
      expect((await refused(host.completeStep(task))).code).toBe('NOT_FOUND');
      expect(await host.names('a', runId)).toHaveLength(5);
    },
  );

  scenario('Two processes that reset at once leave one run open (RS-2)', async (host, world) => {
    const other = await world.host();
    await host.start('a');
    await host.turn([]);
    await Promise.allSettled([reset(host, 'a', 4), reset(other, 'a', 4)]);
    expect(await host.listed("ExecutionStatus = 'Running'")).toEqual(['a']);
    await host.turn([completeRun()]);
    expect(await host.status('a')).toBe('COMPLETED');
  });
}

async function signals(host: Host, runId: string) {
  return (await host.history('a', runId))
    .map((event) => event.workflowExecutionSignaledEventAttributes?.signalName)
    .filter(Boolean);
}

async function reset(host: Host, workflowId: string, point: number, runId = '', requestId = '') {
  const reply = await host.service.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId, runId },
    workflowTaskFinishEventId: longOf(point),
    reason: 'again',
    requestId,
  });
  return reply.runId ?? '';
}
