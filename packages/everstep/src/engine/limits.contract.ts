/** Every limit that is a setting holds with the answer that Temporal's server gives (section 14). */
import { expect } from 'vitest';
import { payloadsOf } from '../../test/core-driver.ts';
import { cancelOther, child, signalOther, step } from '../../test/command-kit.ts';
import { refused } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';
import type { Command } from '../core/proto.ts';

const namespace = 'default';
const large = payloadsOf('x'.repeat(500));

/** What becomes of a run whose worker sends this: the answer, and whether the run goes on. */
async function sent(host: Host, ...commands: readonly Command[]) {
  await host.start('a');
  const refusal = await refused(host.complete(await host.poll(), commands));
  const status = await host.status('a');
  return { code: refusal.code, message: refusal.message, status };
}

function update(host: Host, updateId: string) {
  return host.service.updateWorkflowExecution({
    namespace,
    workflowExecution: { workflowId: 'a' },
    waitPolicy: { lifecycleStage: 2 },
    request: { meta: { updateId }, input: { name: 'add' } },
  });
}

export function describeLimits(scenario: Scenario): void {
  scenario(
    'A payload that is too large is refused in a request and ends the run in a command (WT-20)',
    async (host) => {
      const tooLarge = { code: 'INVALID_ARGUMENT', message: 'Blob data size exceeds limit.' };
      expect(await refused(host.startReply('b', { input: large }))).toMatchObject(tooLarge);
      await host.start('b');
      const signal = host.service.signalWorkflowExecution({
        namespace,
        workflowExecution: { workflowId: 'b' },
        signalName: 'go',
        input: large,
      });
      expect((await refused(signal)).code).toBe('INVALID_ARGUMENT');
      await host.terminate('b');
      await host.tryPoll();
      expect(await sent(host, step('s', { input: large }))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        status: 'TERMINATED',
      });
    },
    { coreLimits: { payloadBytesMax: 400 } },
  );

  scenario(
    'A memo and search attributes that are too large are refused (VS-3)',
    async (host) => {
      await host.register({ A: 'Keyword', B: 'Keyword', C: 'Keyword' });
      const [value = {}] = payloadsOf('xy').payloads ?? [];
      const [long = {}] = payloadsOf('x'.repeat(90)).payloads ?? [];
      const memo = { fields: { note: large.payloads?.[0] ?? {} } };
      const attributes = (indexedFields: Record<string, object>) => ({
        searchAttributes: { indexedFields },
      });
      for (const request of [
        { memo },
        attributes({ A: value, B: value, C: value }),
        attributes({ A: long }),
      ]) {
        expect((await refused(host.startReply('a', request))).code).toBe('INVALID_ARGUMENT');
      }
      await host.start('a', attributes({ A: value, B: value }));
    },
    {
      coreLimits: {
        memoBytesMax: 300,
        searchAttributeKeysMax: 2,
        searchAttributeValueBytesMax: 80,
      },
    },
  );

  scenario(
    'A history with too many events ends its run, and workers are told before',
    async (host) => {
      await host.start('a');
      const suggested: (boolean | null | undefined)[] = [];
      while ((await host.status('a')) === 'RUNNING') {
        await host.signal('a');
        const task = await host.tryPoll();
        if (!task) break;
        const started = task.history?.events?.at(-1)?.workflowTaskStartedEventAttributes;
        suggested.push(started?.suggestContinueAsNew);
        await host.complete(task, []);
      }
      expect(suggested[0]).toBe(false);
      expect(suggested.at(-1)).toBe(true);
      expect(await host.status('a')).toBe('TERMINATED');
      const end = await host.event('a', 'WorkflowExecutionTerminated');
      expect(end.workflowExecutionTerminatedEventAttributes?.reason).toBe(
        'Workflow history count exceeds limit.',
      );
    },
    { coreLimits: { historyEventsMax: 20, suggestContinueAsNewEvents: 10 } },
  );

  scenario(
    'A history of too many bytes ends its run, and workers are told before',
    async (host) => {
      await host.start('a');
      const task = await host.poll();
      const started = task.history?.events?.at(-1)?.workflowTaskStartedEventAttributes;
      expect(started?.suggestContinueAsNew).toBe(true);
      await host.complete(task, [step('s', { input: payloadsOf('x'.repeat(400)) })]);
      for (let count = 0; count < 20; count += 1) {
        if ((await host.status('a')) !== 'RUNNING') break;
        await host.signal('a');
      }
      const end = await host.event('a', 'WorkflowExecutionTerminated');
      expect(end.workflowExecutionTerminatedEventAttributes?.reason).toBe(
        'Workflow history size exceeds limit.',
      );
    },
    { coreLimits: { historyBytesMax: 900, suggestContinueAsNewBytes: 100 } },
  );

  const pending: readonly (readonly [string, (id: string) => Command, string])[] = [
    ['activities', (id) => step(id), 'PendingActivitiesLimitExceeded'],
    ['children', (id) => child(id), 'PendingChildWorkflowsLimitExceeded'],
    ['signals to others', (id) => signalOther(id), 'PendingSignalsLimitExceeded'],
    ['cancels of others', (id) => cancelOther(id), 'PendingRequestCancelLimitExceeded'],
  ];
  for (const [what, command, cause] of pending) {
    scenario(
      `Too many pending ${what} fail the workflow task, and the run goes on (WT-20)`,
      async (host) => {
        const { message, status } = await sent(host, command('one'), command('two'));
        expect(message).toContain(cause);
        expect(status).toBe('RUNNING');
        await host.turn([command('one')]);
        expect(await host.status('a')).toBe('RUNNING');
      },
      {
        coreLimits: {
          pendingActivitiesMax: 1,
          pendingChildrenMax: 1,
          pendingSignalsMax: 1,
          pendingCancelsMax: 1,
        },
      },
    );
  }

  scenario(
    'Signals beyond the limit are refused (SG-2)',
    async (host) => {
      await host.start('a');
      await host.signal('a');
      await host.signal('a');
      expect((await refused(host.signal('a'))).code).toBe('INVALID_ARGUMENT');
    },
    { coreLimits: { signalsMax: 2 } },
  );

  scenario(
    'Updates beyond what may be in flight are to be tried again, and beyond all of them refused (UP-3)',
    async (host, world) => {
      await host.start('a');
      await host.turn();
      void update(host, 'u1').catch(() => undefined);
      await world.clock.settle();
      expect((await refused(update(host, 'u2'))).code).toBe('RESOURCE_EXHAUSTED');
    },
    { coreLimits: { updatesInFlightMax: 1 } },
  );

  scenario(
    'Updates beyond all that a run may have are refused (UP-3)',
    async (host, world) => {
      await host.start('a');
      await host.turn();
      void update(host, 'u1').catch(() => undefined);
      await world.clock.settle();
      expect((await refused(update(host, 'u2'))).code).toBe('FAILED_PRECONDITION');
    },
    { coreLimits: { updatesMax: 1 } },
  );

  scenario(
    'Ids that are too long are refused',
    async (host) => {
      const long = 'x'.repeat(11);
      for (const request of [
        { workflowId: long },
        { workflowType: { name: long } },
        { taskQueue: { name: long } },
        { requestId: long },
        { identity: long },
      ]) {
        const refusal = await refused(host.startReply('a', { requestId: 'r', ...request }));
        expect({ request, code: refusal.code }).toEqual({ request, code: 'INVALID_ARGUMENT' });
      }
      await host.start('a', { requestId: 'r' });
    },
    { coreLimits: { idBytesMax: 10 } },
  );

  scenario(
    'Pages and polls are as long as they are set',
    async (host, world) => {
      for (const id of ['a', 'b', 'c']) await host.start(id);
      const page = await host.service.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId: 'a' },
      });
      expect(page.history?.events).toHaveLength(1);
      const { executions } = await host.list();
      expect(executions).toHaveLength(2);
      expect((await refused(host.list('', { pageSize: 3 }))).code).toBe('INVALID_ARGUMENT');
      let answered = false;
      void host.service
        .pollWorkflowTaskQueue({ namespace, taskQueue: { name: 'nobody' } })
        .then(() => (answered = true));
      await world.clock.advance(2_900);
      expect(answered).toBe(false);
      await world.clock.advance(200);
      expect(answered).toBe(true);
    },
    { limits: { historyPageEvents: 1, listPageMax: 2, longPollMs: 3_000 } },
  );
}
