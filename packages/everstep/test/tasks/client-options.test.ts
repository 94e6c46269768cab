/** Tasks over a client that somebody else made: with interceptors, and with codecs. */
import { Client, type WorkflowStartInput } from '@temporalio/client';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { expect, it } from 'vitest';
import { AsyncTask } from '../../src/index.ts';
import { rejection, running } from './running-component.ts';

const echo = (): AsyncTask<{ n: number }, number> =>
  new AsyncTask({ name: 'echo', task: async ({ n }: { n: number }) => n });

it('submits through the interceptors of its client', async () => {
  const component = await running('memory', []);
  const started: string[] = [];
  const task = echo();
  task.setClient(
    new Client({
      connection: component.getClient().connection,
      interceptors: {
        workflow: [
          {
            start: async (input: WorkflowStartInput, next) => {
              started.push(input.workflowType);
              return next(input);
            },
          },
        ],
      },
    }),
  );
  await task.submit({ n: 1 }, { taskId: 'a', delay: '1h', memo: { x: 1 } });
  await task.submit({ n: 1 }, { taskId: 'a' });
  expect(await rejection(task.submit({ n: 2 }, { taskId: 'a' }))).toMatchObject({
    code: 'TASK_ID_CONFLICT',
  });
  expect(started).toEqual(['asyncTask_echo', 'asyncTask_echo', 'asyncTask_echo']);
  expect(await task.getStatus('a')).toMatchObject({ status: 'pending' });
});

/** Writes the same value differently each time, as encryption does. */
class Salted implements PayloadCodec {
  #salt = 0;

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => ({
      metadata: { ...payload.metadata, salted: Buffer.from('yes') },
      data: Buffer.concat([Buffer.from([(this.#salt += 1)]), payload.data ?? Buffer.alloc(0)]),
    }));
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) =>
      payload.metadata?.['salted'] === undefined
        ? payload
        : { ...payload, data: (payload.data ?? Buffer.alloc(1)).subarray(1) },
    );
  }
}

it('keeps payloads as its codecs write them, and compares what they mean', async () => {
  const task = echo();
  const component = await running('memory', [task], {
    dataConverter: { payloadCodecs: [new Salted()] },
  });
  await task.submit({ n: 1 }, { taskId: 'a' });
  await task.submit({ n: 1 }, { taskId: 'a' });
  expect(await rejection(task.submit({ n: 2 }, { taskId: 'a' }))).toMatchObject({
    code: 'TASK_ID_CONFLICT',
  });
  expect(await task.result('a')).toBe(1);
  expect(await task.getStatus('a')).toMatchObject({ status: 'completed', result: 1 });
  const { events } = await component.getClient().workflow.getHandle('a').fetchHistory();
  const [input] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  expect(input?.metadata).toHaveProperty('salted');
});
