import { expect } from 'vitest';
import { completeRun, continueAsNew, timer } from '../../test/command-kit.ts';
import { payloadsOf } from '../../test/core-driver.ts';
import { decoded, durationOf, refused } from '../../test/engine-host.ts';
import type { Host, WorkflowTask } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';
import { acceptance, placeOf, rejection, requestIn, response } from '../../test/update-messages.ts';
import type { UpdateMessage } from '../core/proto.ts';
import { updateStages } from './update-wait.ts';

const namespace = 'default';
const { accepted, admitted, completed } = updateStages;

export function update(
  host: Host,
  updateId: string,
  stage: number = completed,
  extra: object = {},
) {
  return host.service.updateWorkflowExecution({
    namespace,
    workflowExecution: { workflowId: 'a' },
    waitPolicy: { lifecycleStage: stage },
    request: {
      meta: { updateId, identity: 'client' },
      input: { name: 'add', args: payloadsOf(updateId) },
    },
    ...extra,
  });
}

/** Completes the task with these answers, each in its place. */
export function answer(
  host: Host,
  task: WorkflowTask,
  messages: readonly UpdateMessage[],
  more = {},
) {
  const commands = messages.filter(({ id }) => !id?.endsWith('/reject')).map(placeOf);
  return host.complete(task, commands, { messages: [...messages], ...more });
}

/** The ids of the updates that came with a task. */
export const idsOf = (task: WorkflowTask): (string | null | undefined)[] =>
  (task.messages ?? []).map(({ protocolInstanceId }) => protocolInstanceId);

export async function idle(host: Host): Promise<void> {
  await host.start('a');
  await host.complete(await host.poll(), [timer('t', 3_600_000)]);
}

export function describeUpdates(scenario: Scenario): void {
  scenario(
    'An update is sent, accepted and completed, and writes two events (UP-1, WT-11)',
    async (host, world) => {
      await idle(host);
      const done = update(host, 'u1');
      await world.clock.settle();
      const task = await host.poll();
      expect(idsOf(task)).toEqual(['u1']);
      const [message] = task.messages ?? [];
      expect(Number(message?.eventId)).toBe(Number(task.startedEventId) - 1);
      expect(requestIn(message).input?.name).toBe('add');
      await answer(host, task, [acceptance('u1'), response('u1', 7)]);
      const { outcome, stage, updateRef } = await done;
      expect(stage).toBe(completed);
      expect(decoded(outcome?.success)).toBe(7);
      expect(updateRef?.updateId).toBe('u1');
      expect((await host.names('a')).slice(-3)).toEqual([
        'WorkflowTaskCompleted',
        'WorkflowExecutionUpdateAccepted',
        'WorkflowExecutionUpdateCompleted',
      ]);
      const event = await host.event('a', 'WorkflowExecutionUpdateAccepted');
      expect(
        event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name,
      ).toBe('add');
    },
  );

  scenario(
    'A rejected update tells its failure, writes no event of its own, and is forgotten (UP-2)',
    async (host, world) => {
      await idle(host);
      const done = update(host, 'u1');
      await world.clock.settle();
      await answer(host, await host.poll(), [rejection('u1')]);
      expect((await done).outcome?.failure).toMatchObject({ message: 'no' });
      // The worker was shown the timer, and did not say that it may be shown it again.
      expect((await host.names('a')).at(-1)).toBe('WorkflowTaskCompleted');
      const again = update(host, 'u1');
      await world.clock.settle();
      await answer(host, await host.poll(), [acceptance('u1'), response('u1', 'yes')]);
      expect(decoded((await again).outcome?.success)).toBe('yes');
    },
  );

  scenario(
    'A repeated update attaches to the one in flight, and to its outcome after the close (UP-2)',
    async (host, world) => {
      await idle(host);
      const first = update(host, 'u1');
      const second = update(host, 'u1', accepted);
      await world.clock.settle();
      const task = await host.poll();
      expect(idsOf(task)).toEqual(['u1']);
      await answer(host, task, [acceptance('u1')]);
      expect(await second).toMatchObject({ stage: accepted });
      expect((await second).outcome).toBeUndefined();
      await host.signal('a');
      const last = response('u1', 'late');
      await host.complete(await host.poll(), [placeOf(last), completeRun()], { messages: [last] });
      expect(decoded((await first).outcome?.success)).toBe('late');
      expect(decoded((await update(host, 'u1')).outcome?.success)).toBe('late');
      expect(await refused(update(host, 'u2'))).toMatchObject({ code: 'NOT_FOUND' });
    },
  );

  scenario(
    'A wait ends after 20 s with the stage reached, and a poll goes on (UP-4)',
    async (host, world) => {
      await idle(host);
      const first = update(host, 'u1');
      await world.clock.advance(20_000);
      expect(await first).toMatchObject({ stage: admitted });
      const updateRef = { workflowExecution: { workflowId: 'a' }, updateId: 'u1' };
      const poll = host.service.pollWorkflowExecutionUpdate({
        namespace,
        updateRef,
        waitPolicy: { lifecycleStage: completed },
      });
      await world.clock.settle();
      await answer(host, await host.poll(), [acceptance('u1'), response('u1', 1)]);
      expect(decoded((await poll).outcome?.success)).toBe(1);
      expect(
        await refused(
          host.service.pollWorkflowExecutionUpdate({
            namespace,
            updateRef: { ...updateRef, updateId: 'other' },
          }),
        ),
      ).toMatchObject({ code: 'NOT_FOUND' });
      expect(await refused(update(host, 'u3', admitted))).toMatchObject({
        code: 'PERMISSION_DENIED',
      });
    },
  );

  scenario(
    "A wait for an update ends at its caller's deadline and not before, so that nobody asks on and on (UP-4)",
    async (host, world) => {
      await idle(host);
      const request = {
        namespace,
        updateRef: { workflowExecution: { workflowId: 'a' }, updateId: 'u1' },
        waitPolicy: { lifecycleStage: completed },
      };
      const first = update(host, 'u1', accepted);
      await world.clock.settle();
      await answer(host, await host.poll(), [acceptance('u1')]);
      expect(await first).toMatchObject({ stage: accepted });
      let ended = false;
      const deadline = world.clock.now + 5_000;
      const late = refused(host.service.pollWorkflowExecutionUpdate(request, { deadline })).finally(
        () => {
          ended = true;
        },
      );
      await world.clock.advance(4_999);
      expect(ended).toBe(false);
      await world.clock.advance(1);
      expect(await late).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
      const far = { deadline: world.clock.now + 60_000 };
      const poll = host.service.pollWorkflowExecutionUpdate(request, far);
      await world.clock.advance(20_000);
      expect(await poll).toMatchObject({ stage: accepted });
    },
  );

  scenario('An update does not wait for a start delay to pass (UP-1)', async (host, world) => {
    await host.start('a', { workflowStartDelay: durationOf(864_000_000_000) });
    const done = update(host, 'u1');
    await world.clock.settle();
    const updateRef = { workflowExecution: { workflowId: 'a' }, updateId: 'u1' };
    const poll = await host.service.pollWorkflowExecutionUpdate({ namespace, updateRef });
    expect(poll.stage).toBe(admitted);
    await answer(host, await host.poll(), [acceptance('u1'), response('u1', 'early')]);
    expect(decoded((await done).outcome?.success)).toBe('early');
  });

  scenario('More than 10 updates in flight are refused (UP-3)', async (host, world) => {
    await idle(host);
    const waiting = Array.from({ length: 10 }, (_, index) => update(host, `u${index}`, accepted));
    await world.clock.settle();
    expect(await refused(update(host, 'u10'))).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      detail: { kind: 'resourceExhausted', cause: 'concurrentLimit' },
    });
    const task = await host.poll();
    await answer(
      host,
      task,
      idsOf(task).map((id) => acceptance(id ?? '')),
    );
    await Promise.all(waiting);
  });

  scenario(
    'A closing run refuses what it had not accepted, and fails what it had (UP-6)',
    async (host, world) => {
      await idle(host);
      const taken = update(host, 'u1');
      await world.clock.settle();
      await answer(host, await host.poll(), [acceptance('u1')]);
      const late = refused(update(host, 'u2'));
      await world.clock.settle();
      await host.terminate('a');
      expect(await late).toMatchObject({ code: 'NOT_FOUND' });
      expect((await taken).outcome?.failure).toMatchObject({
        applicationFailureInfo: { type: 'AcceptedUpdateCompletedWorkflow' },
      });
    },
  );

  scenario(
    'An update that a run left behind as it continued as new is asked of the next (UP-6)',
    async (host, world) => {
      await idle(host);
      await host.signal('a');
      const task = await host.poll();
      const done = update(host, 'u1');
      await world.clock.settle();
      await host.complete(task, [continueAsNew()]);
      await world.clock.settle();
      await answer(host, await host.poll(), [acceptance('u1'), response('u1', 'next')]);
      expect(decoded((await done).outcome?.success)).toBe('next');
    },
  );

  scenario(
    'A worker that says nothing of an update has it rejected, a heartbeat has not (WT-25)',
    async (host, world) => {
      await idle(host);
      const done = update(host, 'u1');
      await world.clock.settle();
      await host.complete(await host.poll(), [], { forceCreateNewWorkflowTask: true });
      await world.clock.settle();
      const task = await host.poll();
      expect(idsOf(task)).toEqual(['u1']);
      await host.complete(task);
      expect((await done).outcome?.failure).toMatchObject({
        applicationFailureInfo: { type: 'UnprocessedUpdate' },
      });
    },
  );

  scenario('An update is sent again when its task fails (WT-28)', async (host, world) => {
    await idle(host);
    const done = update(host, 'u1');
    await world.clock.settle();
    await host.failTask(await host.poll());
    const task = await host.poll();
    expect(idsOf(task)).toEqual(['u1']);
    await answer(host, task, [acceptance('u1'), response('u1')]);
    expect((await done).stage).toBe(completed);
  });

  scenario(
    'While a task has failed three times updates are refused (UP-5)',
    async (host, world) => {
      await host.start('a');
      for (let attempt = 1; attempt <= 3; attempt += 1) await host.failTask(await host.poll());
      await world.clock.settle();
      expect(await refused(update(host, 'u1'))).toMatchObject({
        code: 'FAILED_PRECONDITION',
        detail: { kind: 'workflowNotReady' },
      });
    },
  );

  scenario(
    'An acceptance with its request revives an update that was forgotten (UP-7)',
    async (host) => {
      await host.start('a');
      const request = { meta: { updateId: 'u1', identity: 'client' }, input: { name: 'add' } };
      const revived = acceptance('u1', undefined, request);
      await answer(host, await host.poll(), [revived, response('u1', 7)]);
      const { outcome } = await update(host, 'u1');
      expect(decoded(outcome?.success)).toBe(7);
      expect((await host.names('a')).slice(-2)).toEqual([
        'WorkflowExecutionUpdateAccepted',
        'WorkflowExecutionUpdateCompleted',
      ]);
    },
  );

  scenario(
    'A completed update is not revived, and keeps its outcome (UP-2, UP-7)',
    async (host) => {
      await host.start('a');
      const request = { meta: { updateId: 'u1', identity: 'client' }, input: { name: 'add' } };
      const revived = acceptance('u1', undefined, request);
      await answer(host, await host.poll(), [revived, response('u1', 'first')]);
      await host.signal('a');
      const again = await refused(
        answer(host, await host.poll(), [revived, response('u1', 'last')]),
      );
      expect(again.message).toContain("update u1 wasn't found");
      expect(decoded((await update(host, 'u1')).outcome?.success)).toBe('first');
    },
  );

  scenario(
    'An acceptance with the request of another update fails the task (UP-7)',
    async (host) => {
      await host.start('a');
      const request = { meta: { updateId: 'u2', identity: 'client' }, input: { name: 'add' } };
      const task = await host.poll();
      const bad = await refused(answer(host, task, [acceptance('u1', undefined, request)]));
      expect(bad.message).toContain('Acceptance of update u1 has the request of u2');
    },
  );

  scenario(
    'A message that is not understood fails the task and takes nothing (WT-19)',
    async (host, world) => {
      await idle(host);
      const done = update(host, 'u1');
      await world.clock.settle();
      const bad = await refused(answer(host, await host.poll(), [response('u1')]));
      expect(bad.message).toContain('BadUpdateWorkflowExecutionMessage');
      await answer(host, await host.poll(), [acceptance('u1'), response('u1')]);
      expect((await done).stage).toBe(completed);
      expect(await host.names('a')).toContain('WorkflowTaskFailed');
    },
  );

  scenario('A reset applies updates after the point again (RS-2)', async (host, world) => {
    await idle(host);
    const done = update(host, 'u1');
    await world.clock.settle();
    await answer(host, await host.poll(), [acceptance('u1'), response('u1', 'before')]);
    await done;
    await host.service.resetWorkflowExecution({
      namespace,
      workflowExecution: { workflowId: 'a' },
      workflowTaskFinishEventId: 4 as never,
      requestId: world.uuid(),
    });
    expect(await host.names('a')).toContain('WorkflowExecutionUpdateAdmitted');
    const task = await host.poll();
    expect(idsOf(task)).toEqual(['u1']);
    await answer(host, task, [acceptance('u1'), response('u1', 'after')]);
    expect(decoded((await update(host, 'u1')).outcome?.success)).toBe('after');
  });

  const updateWithStart = (host: Host, updateId: string, conflictPolicy: number, start = {}) =>
    host.service.executeMultiOperation({
      namespace,
      operations: [
        {
          startWorkflow: {
            namespace,
            workflowId: 'a',
            workflowType: { name: 'Order' },
            taskQueue: { name: 'orders' },
            workflowIdConflictPolicy: conflictPolicy,
            ...start,
          },
        },
        {
          updateWorkflow: {
            namespace,
            workflowExecution: { workflowId: 'a' },
            waitPolicy: { lifecycleStage: completed },
            request: { meta: { updateId }, input: { name: 'add' } },
          },
        },
      ],
    });
  const failIfRunning = 1;
  const useExisting = 2;

  scenario('Update-with-start starts a run that has the update (UP-8)', async (host, world) => {
    const both = updateWithStart(host, 'u1', useExisting);
    await world.clock.settle();
    const task = await host.poll();
    expect(idsOf(task)).toEqual(['u1']);
    await answer(host, task, [acceptance('u1'), response('u1', 'hello')]);
    const [started, updated] = (await both).responses ?? [];
    expect(started?.startWorkflow?.started).toBe(true);
    expect(decoded(updated?.updateWorkflow?.outcome?.success)).toBe('hello');
    const again = (await updateWithStart(host, 'u1', failIfRunning)).responses ?? [];
    expect(again[0]?.startWorkflow).toMatchObject({
      started: false,
      runId: started?.startWorkflow?.runId,
    });
    const second = updateWithStart(host, 'u2', useExisting);
    await world.clock.settle();
    await answer(host, await host.poll(), [acceptance('u2'), response('u2', 'again')]);
    expect(decoded((await second).responses?.[1]?.updateWorkflow?.outcome?.success)).toBe('again');
  });

  scenario('Update-with-start says which of the two was refused (UP-8)', async (host) => {
    await idle(host);
    expect(await refused(updateWithStart(host, 'u1', failIfRunning))).toMatchObject({
      code: 'ALREADY_EXISTS',
      detail: { kind: 'multiOperation', refusals: [{ code: 'ALREADY_EXISTS' }, undefined] },
    });
    expect(await refused(updateWithStart(host, 'u1', 0))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      detail: { kind: 'multiOperation', refusals: [{ code: 'INVALID_ARGUMENT' }, undefined] },
    });
  });
}
