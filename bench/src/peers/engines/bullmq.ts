/** BullMQ. The client waits through the queue's events, which tells it at once and without asking. */
import type { OneStepParams } from '../../params.ts';
import { lanes } from '../../lanes.ts';
import { loadPackage } from '../packages-folder.ts';
import { urlOf, type StartEngine } from './engine.ts';

interface Closable {
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}
interface QueueEvents extends Closable {
  setMaxListeners(most: number): void;
}
interface Job {
  waitUntilFinished(events: QueueEvents): Promise<number>;
}
interface Queue extends Closable {
  add(name: string, data: OneStepParams): Promise<Job>;
  setMaxListeners(most: number): void;
}
interface BullMq {
  readonly Queue: new (name: string, options: unknown) => Queue;
  readonly QueueEvents: new (name: string, options: unknown) => QueueEvents;
  readonly Worker: new (
    name: string,
    processor: (job: { readonly data: OneStepParams }) => Promise<number>,
    options: unknown,
  ) => Closable;
}

export const startEngine: StartEngine = async (setting) => {
  const { Queue, QueueEvents, Worker } = await loadPackage<BullMq>(setting.packages, 'bullmq');
  const { hostname, port } = new URL(urlOf(setting, 'redis'));
  const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null };
  const queue = new Queue('one-step', { connection });
  const events = new QueueEvents('one-step', { connection });
  const worker = new Worker('one-step', async ({ data }) => data.number + 1, {
    connection,
    concurrency: lanes,
  });
  // Each job that is waited for listens.
  queue.setMaxListeners(0);
  events.setMaxListeners(0);
  const all = [worker, events, queue];
  await Promise.all(all.map((part) => part.waitUntilReady()));
  return {
    oneStep: async (params) => (await queue.add('one-step', params)).waitUntilFinished(events),
    stop: async () => {
      for (const part of all) await part.close();
    },
  };
};
