import { expect } from 'vitest';
import proto from '@temporalio/proto';
import { completeRun, timer } from '../../test/command-kit.ts';
import { decoded, durationOf, eventIds, refused, sticky } from '../../test/engine-host.ts';
import type { Host, WorkflowTask } from '../../test/engine-host.ts';
import type { Scenario, World } from '../../test/engine-world.ts';
import { StoreTap } from '../../test/store-tap.ts';
import { payloadsOf } from '../../test/core-driver.ts';

const { QueryRejectCondition, QueryResultType } = proto.temporal.api.enums.v1;

export function describeQueries(scenario: Scenario): void {
  scenario(
    'A query that comes while the history of a task is read goes with the next: it may know more (QY-5)',
    async (first, world) => {
      await idle(first);
      await first.signal('a');
      const tap = new StoreTap();
      const host = await world.host({ wrap: tap.wrap });
      let release: () => void = () => undefined;
      tap.beforeRead = () => new Promise((resolve) => (release = resolve));
      const poll = host.service.pollWorkflowTaskQueue({
        namespace: 'default',
        taskQueue: { name: 'orders' },
      });
      await world.clock.settle();
      await host.signal('a', 'late');
      const answer = host.query('a');
      await world.clock.settle();
      tap.beforeRead = undefined;
      release();
      const task = await poll;
      expect(task.queries).toEqual({});
      await host.complete(task);
      const next = await host.poll();
      expect(Object.keys(next.queries ?? {})).toHaveLength(1);
      const [id = ''] = Object.keys(next.queries ?? {});
      const resultType = QueryResultType.QUERY_RESULT_TYPE_ANSWERED;
      const queryResults = { [id]: { resultType, answer: payloadsOf('late') } };
      await host.complete(next, [], { queryResults });
      expect(decoded((await answer).queryResult)).toBe('late');
    },
  );

  scenario(
    'A query of an idle run goes to a poll with its whole history (QY-3)',
    async (host, world) => {
      await idle(host);
      const before = await host.names('a');
      const answer = host.query('a');
      await world.clock.advance(200);
      const task = await nextTask(host, world);
      expect(task.query).toMatchObject({ queryType: 'state' });
      expect(eventIds(task)).toEqual([1, 2, 3, 4, 5]);
      await host.answerQuery(task, 'waiting');
      expect(decoded((await answer).queryResult)).toBe('waiting');
      expect(await host.names('a')).toEqual(before);
    },
  );

  scenario('A query finds the poll that waits (QY-3)', async (host, world) => {
    await idle(host);
    const poll = host.service.pollWorkflowTaskQueue({
      namespace: 'default',
      taskQueue: { name: 'orders' },
    });
    await world.clock.settle();
    const answer = host.query('a');
    await host.answerQuery(await poll, 7);
    expect(decoded((await answer).queryResult)).toBe(7);
  });

  scenario('A query of a sticky run goes to its sticky queue first (QY-3)', async (host, world) => {
    await host.start('a');
    await host.complete(await host.poll(), [timer('t', 60_000)], sticky('sticky-1'));
    const [normal, own] = ['orders', 'sticky-1'].map((name) =>
      host.service.pollWorkflowTaskQueue({ namespace: 'default', taskQueue: { name } }),
    );
    await world.clock.settle();
    const answer = host.query('a');
    await host.answerQuery((await own) ?? {}, 'cached');
    expect(decoded((await answer).queryResult)).toBe('cached');
    await host.signal('a');
    await world.clock.advance(60_000);
    await normal;
  });

  scenario(
    'A sticky worker is asked without any history, and when it does not answer the normal queue with the whole one (QY-3)',
    async (host, world) => {
      await host.start('a');
      await host.complete(await host.poll(), [timer('t', 60_000)], sticky('sticky-1'));
      const [normal, own] = ['orders', 'sticky-1'].map((name) =>
        host.service.pollWorkflowTaskQueue({ namespace: 'default', taskQueue: { name } }),
      );
      await world.clock.settle();
      const answer = host.query('a');
      expect(eventIds((await own) ?? {})).toEqual([]);
      await world.clock.advance(5_000);
      const task = (await normal) ?? {};
      expect(eventIds(task)).toEqual([1, 2, 3, 4, 5]);
      await host.answerQuery(task, 'replayed');
      expect(decoded((await answer).queryResult)).toBe('replayed');
    },
  );

  scenario(
    'A query of a closed run goes to its normal queue, whoever has completed it (QY-3)',
    async (host, world) => {
      await host.start('a');
      await host.complete(await host.poll(), [completeRun()], sticky('sticky-1'));
      const [normal, own] = ['orders', 'sticky-1'].map((name) =>
        host.service.pollWorkflowTaskQueue({ namespace: 'default', taskQueue: { name } }),
      );
      await world.clock.settle();
      const answer = host.query('a');
      const task = (await normal) ?? {};
      expect(eventIds(task)).toEqual([1, 2, 3, 4, 5]);
      await host.answerQuery(task, 'done');
      expect(decoded((await answer).queryResult)).toBe('done');
      await world.clock.advance(60_000);
      expect((await own)?.query ?? undefined).toBeUndefined();
    },
  );

  scenario('A failed query is refused with its failure (section 15)', async (host, world) => {
    await idle(host);
    const answer = refused(host.query('a'));
    const task = await nextTask(host, world);
    await host.service.respondQueryTaskCompleted({
      namespace: 'default',
      taskToken: task.taskToken ?? null,
      completedType: QueryResultType.QUERY_RESULT_TYPE_FAILED,
      errorMessage: 'no such query',
      failure: { message: 'no such query' },
    });
    expect(await answer).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'no such query',
      detail: { kind: 'queryFailed' },
    });
  });

  scenario(
    'A query waits for the task that is pending and travels with it (QY-4)',
    async (host, world) => {
      await host.start('a');
      const answer = host.query('a');
      await world.clock.settle();
      const task = await host.poll();
      const [id, query] = Object.entries(task.queries ?? {})[0] ?? [];
      expect(query).toMatchObject({ queryType: 'state' });
      await host.complete(task, [timer('t', 60_000)], {
        queryResults: { [id ?? '']: { resultType: 1, answer: payloadsOf('fresh') } },
      });
      expect(decoded((await answer).queryResult)).toBe('fresh');
      expect(await host.names('a')).toHaveLength(5);
    },
  );

  scenario('An attached query may fail (QY-4)', async (host, world) => {
    await host.start('a');
    const answer = refused(host.query('a'));
    await world.clock.settle();
    const task = await host.poll();
    const id = Object.keys(task.queries ?? {})[0] ?? '';
    await host.complete(task, [], {
      queryResults: {
        [id]: {
          resultType: QueryResultType.QUERY_RESULT_TYPE_FAILED,
          errorMessage: 'no such query',
        },
      },
    });
    expect(await answer).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'no such query' });
  });

  scenario(
    'A query that comes while a task is started is asked after it (QY-3)',
    async (host, world) => {
      await host.start('a');
      const task = await host.poll();
      const answer = host.query('a');
      await world.clock.settle();
      await host.complete(task, [timer('t', 60_000)]);
      await host.answerQuery(await nextTask(host, world), 'after');
      expect(decoded((await answer).queryResult)).toBe('after');
    },
  );

  scenario('A query whose task fails travels with the next (QY-4)', async (host, world) => {
    await host.start('a');
    const answer = host.query('a');
    await world.clock.settle();
    await host.failTask(await host.poll());
    const task = await host.poll();
    const id = Object.keys(task.queries ?? {})[0] ?? '';
    await host.complete(task, [], {
      queryResults: { [id]: { resultType: 1, answer: payloadsOf('second') } },
    });
    expect(decoded((await answer).queryResult)).toBe('second');
  });

  scenario(
    'Too many waiting queries are refused (QY-4)',
    async (host, world) => {
      await host.start('a');
      const deadline = world.clock.now + 5_000;
      const waiting = Array.from({ length: 3 }, () => refused(host.query('a', '', { deadline })));
      const errors = Promise.all(waiting);
      await world.clock.advance(5_000);
      expect((await errors).map((error) => error.code).sort()).toEqual([
        'DEADLINE_EXCEEDED',
        'DEADLINE_EXCEEDED',
        'RESOURCE_EXHAUSTED',
      ]);
    },
    { limits: { waitingQueriesMax: 2 } },
  );

  scenario('A query that nobody answers ends with its caller (QY-3)', async (host, world) => {
    await idle(host);
    const answer = refused(host.query('a', '', { deadline: world.clock.now + 5_000 }));
    await world.clock.advance(5_000);
    expect((await answer).code).toBe('DEADLINE_EXCEEDED');
  });

  scenario('A closed run still answers (QY-3)', async (host, world) => {
    await host.start('a');
    await host.turn([completeRun()]);
    const answer = host.query('a');
    const task = await nextTask(host, world);
    expect(eventIds(task)).toHaveLength(5);
    await host.answerQuery(task, 'over');
    expect(decoded((await answer).queryResult)).toBe('over');
  });

  scenario('A run that closed before its first task is not ready (QY-2)', async (host) => {
    await host.start('a');
    await host.terminate('a');
    expect(await refused(host.query('a'))).toMatchObject({
      code: 'FAILED_PRECONDITION',
      detail: { kind: 'workflowNotReady' },
    });
  });

  scenario(
    'A query that would be over before the first task is not ready (QY-2)',
    async (host, world) => {
      await host.start('a', { workflowStartDelay: durationOf(60_000) });
      const soon = { deadline: world.clock.now + 30_000 };
      expect(await refused(host.query('a', '', soon))).toMatchObject({
        code: 'FAILED_PRECONDITION',
        detail: { kind: 'workflowNotReady' },
      });
      const answer = host.query('a', '', { deadline: world.clock.now + 90_000 });
      await world.clock.advance(60_000);
      const task = await host.poll();
      const id = Object.keys(task.queries ?? {})[0] ?? '';
      await host.complete(task, [], {
        queryResults: { [id]: { resultType: 1, answer: payloadsOf('at last') } },
      });
      expect(decoded((await answer).queryResult)).toBe('at last');
    },
  );

  scenario('A query answered with its task is not asked again (QY-4)', async (host, world) => {
    await host.start('a');
    const first = host.query('a');
    await world.clock.settle();
    const task = await host.poll();
    const id = Object.keys(task.queries ?? {})[0] ?? '';
    await host.complete(task, [], {
      queryResults: { [id]: { resultType: 1, answer: payloadsOf('first') } },
    });
    await first;
    const second = host.query('a');
    const direct = await nextTask(host, world);
    expect(direct.startedEventId ?? null).toBeNull();
    await host.answerQuery(direct, 'second');
    expect(decoded((await second).queryResult)).toBe('second');
  });

  scenario('A run whose task fails for the third time is not ready (QY-2)', async (host) => {
    await host.start('a');
    await host.failTask(await host.poll());
    await host.failTask(await host.poll());
    expect(await refused(host.query('a'))).toMatchObject({
      code: 'FAILED_PRECONDITION',
      detail: { kind: 'workflowNotReady' },
    });
  });

  scenario('The reject condition comes first (QY-1)', async (host) => {
    await host.start('a');
    await host.terminate('a');
    const reply = await host.query(
      'a',
      '',
      {},
      { queryRejectCondition: QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_OPEN },
    );
    expect(reply).toMatchObject({ queryRejected: { status: 5 } });
  });

  scenario('A query sees what another process has written (QY-5)', async (host, world) => {
    const other = await world.host();
    await idle(host);
    await host.signal('a');
    await other.turn([]);
    const answer = host.query('a');
    const task = await nextTask(host, world);
    expect(eventIds(task)).toHaveLength(9);
    await host.answerQuery(task, 'seen');
    expect(decoded((await answer).queryResult)).toBe('seen');
  });

  scenario('A query is answered by the poll of another process (QY-3)', async (host, world) => {
    const other = await world.host();
    await idle(host);
    const poll = other.service.pollWorkflowTaskQueue({
      namespace: 'default',
      taskQueue: { name: 'orders' },
    });
    await world.clock.advance(4_000);
    const answer = host.query('a', '', { deadline: world.clock.now + 20_000 });
    let task: WorkflowTask | undefined;
    void poll.then((reply) => {
      task = reply;
    });
    await world.clock.advance(5_000);
    expect(task?.query).toMatchObject({ queryType: 'state' });
    await other.answerQuery(task ?? {}, 'from afar');
    await world.clock.advance(2_000);
    expect(decoded((await answer).queryResult)).toBe('from afar');
  });

  scenario('The answer to an unknown query is not found (section 15)', async (host) => {
    const task = { taskToken: new TextEncoder().encode('query:none') };
    expect((await refused(host.answerQuery(task, 1))).code).toBe('NOT_FOUND');
    // As a decoded message has it: protobufjs's default for bytes is an empty list.
    const unset = { taskToken: [] as unknown as Uint8Array };
    expect((await refused(host.answerQuery(unset, 1))).code).toBe('INVALID_ARGUMENT');
  });
}

async function idle(host: Host): Promise<void> {
  await host.start('a');
  await host.turn([timer('t', 600_000)]);
}

/** The task that comes to a poll within a second. */
async function nextTask(host: Host, world: World): Promise<WorkflowTask> {
  const poll = host.service.pollWorkflowTaskQueue({
    namespace: 'default',
    taskQueue: { name: 'orders' },
  });
  await world.clock.advance(1_000);
  return poll;
}
