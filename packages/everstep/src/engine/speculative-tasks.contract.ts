import { expect } from 'vitest';
import { nameOf, payloadsOf } from '../../test/core-driver.ts';
import { decoded, refused } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';
import { acceptance, rejection, response } from '../../test/update-messages.ts';
import { updateStages } from './update-wait.ts';
import { answer, idle, idsOf, update } from './updates.contract.ts';

const namespace = 'default';
const { completed } = updateStages;

/** What an update has for itself while no other workflow task is pending (WT-36 … WT-39). */
export function describeSpeculativeTasks(scenario: Scenario): void {
  scenario(
    'The workflow task of an update is shown to its worker alone, and is gone with a rejection (WT-36, WT-38, WT-26)',
    async (host, world) => {
      await idle(host);
      const names = await host.names('a');
      const done = update(host, 'u1');
      await world.clock.settle();
      expect((await host.describe('a')).pendingWorkflowTask?.state).toBe(1);
      const task = await host.poll();
      expect(task.history?.events?.map(nameOf)).toEqual([
        ...names,
        'WorkflowTaskScheduled',
        'WorkflowTaskStarted',
      ]);
      expect(Number(task.startedEventId)).toBe(names.length + 2);
      const { pendingWorkflowTask, workflowExecutionInfo } = await host.describe('a');
      expect(pendingWorkflowTask?.state).toBe(2);
      expect(Number(workflowExecutionInfo?.historyLength)).toBe(names.length);
      expect(await host.names('a')).toEqual(names);
      const reply = await answer(host, task, [rejection('u1')], {
        capabilities: { discardSpeculativeWorkflowTaskWithEvents: true },
      });
      expect(Number(reply.resetHistoryEventId)).toBe(3);
      expect((await done).outcome?.failure).toMatchObject({ message: 'no' });
      expect((await host.describe('a')).pendingWorkflowTask ?? undefined).toBeUndefined();
      expect(await host.names('a')).toEqual(names);
    },
  );

  scenario(
    'A sticky worker that is sent its history in pages is sent the task of an update with the last (WT-11, WT-36)',
    async (_host, world) => {
      const host = await world.host({ limits: { historyPageEvents: 2 } });
      await idle(host);
      const done = update(host, 'u1');
      await world.clock.settle();
      const task = await host.poll();
      const events = [...(task.history?.events ?? [])];
      let { nextPageToken } = task;
      while (nextPageToken?.length) {
        const page = await host.service.getWorkflowExecutionHistory({
          namespace,
          execution: { workflowId: 'a' },
          nextPageToken,
        });
        events.push(...(page.history?.events ?? []));
        nextPageToken = page.nextPageToken ?? null;
      }
      expect(events.map(({ eventId }) => Number(eventId))).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(await host.names('a')).toHaveLength(5);
      await answer(host, task, [acceptance('u1'), response('u1')]);
      expect((await done).stage).toBe(completed);
      expect((await host.names('a', '', 6)).slice(0, 3)).toEqual([
        'WorkflowTaskScheduled',
        'WorkflowTaskStarted',
        'WorkflowTaskCompleted',
      ]);
    },
  );

  scenario(
    'A query is answered with the workflow task of an update, which is gone then (QY-4, WT-38)',
    async (host, world) => {
      await idle(host);
      const names = await host.names('a');
      const done = update(host, 'u1');
      await world.clock.settle();
      const asked = host.query('a');
      await world.clock.settle();
      const task = await host.poll();
      const ids = Object.keys(task.queries ?? {});
      expect(ids).toHaveLength(1);
      await answer(host, task, [rejection('u1')], {
        queryResults: Object.fromEntries(
          ids.map((id) => [id, { resultType: 1, answer: payloadsOf('seen') }]),
        ),
        capabilities: { discardSpeculativeWorkflowTaskWithEvents: true },
      });
      expect(decoded((await asked).queryResult)).toBe('seen');
      await done;
      expect(await host.names('a')).toEqual(names);
    },
  );

  scenario(
    'The workflow task of an update outlives its process (WT-36, UP-1)',
    async (host, world) => {
      await idle(host);
      const lost = refused(update(host, 'u1'));
      await world.clock.settle();
      await host.leave();
      expect((await lost).code).not.toBe('OK');
      const other = await world.host();
      const task = await other.poll();
      expect(idsOf(task)).toEqual(['u1']);
      await answer(other, task, [acceptance('u1'), response('u1', 'later')]);
      expect(decoded((await update(other, 'u1')).outcome?.success)).toBe('later');
    },
  );
}
