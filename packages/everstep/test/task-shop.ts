/** A task worker on an engine in memory with a clock of its own, and the tasks submitted to it. */
import { defaultDataConverter } from '@temporalio/common';
import { onTestFinished } from 'vitest';
import type { LogFields, Logger } from '../src/service/logger.ts';
import { MemoryData } from '../src/store/memory/memory-data.ts';
import { MemoryStore } from '../src/store/memory/memory-store.ts';
import { defineTask, type TaskOptions } from '../src/tasks/definition.ts';
import type { TaskWorkerOptions } from '../src/tasks/task-worker-options.ts';
import { TaskWorker } from '../src/tasks/task-worker.ts';
import type { Host } from './engine-host.ts';
import { World } from './engine-world.ts';
import { payloadOf } from './histories/history-maker.ts';

export const taskQueue = 'async-tasks';
export const ignore = (): void => undefined;

function memoryFixture() {
  const data = new MemoryData();
  return { handle: () => new MemoryStore({ data }), durable: true, clean: () => undefined };
}

export class Shop {
  readonly world = new World(memoryFixture());
  readonly problems: { readonly message: string; readonly fields?: LogFields }[] = [];
  readonly #logger: Logger = {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (message, fields) => {
      this.problems.push({ message, ...(fields && { fields }) });
    },
  };

  static async open(): Promise<{ shop: Shop; host: Host }> {
    const shop = new Shop();
    onTestFinished(() => shop.world.close());
    return { shop, host: await shop.world.host() };
  }

  async worker(
    host: Host,
    tasks: readonly Partial<TaskOptions<never, unknown>>[],
    options: Partial<TaskWorkerOptions> = {},
  ): Promise<TaskWorker> {
    const worker = new TaskWorker({
      service: host.service,
      local: host.service,
      tasks: tasks.map((task) =>
        defineTask({ name: 'task', ...task } as TaskOptions<never, unknown>),
      ),
      namespace: 'default',
      identity: 'worker',
      taskQueue,
      clock: this.world.clock.view(),
      random: { next: () => 0.5, uuid: () => this.world.uuid() },
      logger: this.#logger,
      dataConverter: defaultDataConverter,
      ...options,
    });
    await worker.start();
    return worker;
  }

  async submit(host: Host, workflowId: string, params: unknown = {}, name = 'task') {
    const runId = await host.start(workflowId, {
      workflowType: { name: `asyncTask_${name}` },
      taskQueue: { name: taskQueue },
      input: { payloads: [payloadOf(params)] },
    });
    return runId;
  }

  settle(): Promise<void> {
    return this.world.clock.advance(0);
  }
}

export async function resultOf(host: Host, workflowId: string): Promise<unknown> {
  const closed = await host.event(workflowId, 'WorkflowExecutionCompleted');
  const payload = closed.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0];
  return payload?.data ? JSON.parse(Buffer.from(payload.data).toString()) : undefined;
}
