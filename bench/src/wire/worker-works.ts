/** Workflows of one activity, run by the official worker in this process. */
import { Client, type Connection } from '@temporalio/client';
import { makeTelemetryFilterString, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expectEqual } from '../expectation.ts';
import { inLanes } from '../lanes.ts';
import { percentile } from '../percentile.ts';
import { serverCpuMs } from '../peers/servers/cpu.ts';
import type { Server } from '../peers/servers/server.ts';
import type { WireFigures } from './wire-row.ts';

/** Under way at once. */
const atOnce = 100;
const warmUp = 100;

export function quietWorker(): void {
  const ignore = (): void => undefined;
  const logger = { log: ignore, trace: ignore, debug: ignore, info: ignore };
  Runtime.install({
    logger: { ...logger, warn: ignore, error: console.error },
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'ERROR' }) },
    },
  });
}

export interface WorkerFigures {
  readonly many: WireFigures;
  readonly single: WireFigures;
}

/** Many at once, and one after another. */
export async function measureWorker(
  server: Server,
  connection: Connection,
  n: number,
): Promise<WorkerFigures> {
  const taskQueue = `bench-${randomUUID()}`;
  const client = new Client({ connection });
  const native = await NativeConnection.connect({ address: server.urls['address'] ?? '' });
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
    activities: { add: (number: number) => Promise.resolve(number + 1) },
    maxConcurrentWorkflowTaskExecutions: atOnce,
    maxConcurrentActivityTaskExecutions: atOnce,
  });
  const running = worker.run();
  const one = async (number: number): Promise<void> => {
    const result: number = await client.workflow.execute('oneActivity', {
      taskQueue,
      workflowId: randomUUID(),
      args: [number],
    });
    expectEqual(result, number + 1, `the result of workflow ${number}`);
  };
  try {
    await inLanes(warmUp, one, atOnce);
    const many = await timed(server, n, () => inLanes(n, one, atOnce));
    const few = Math.max(20, Math.ceil(n / 20));
    const latencies: number[] = [];
    const single = await timed(server, few, async () => {
      for (let number = 0; number < few; number += 1) {
        const before = performance.now();
        await one(number);
        latencies.push(performance.now() - before);
      }
    });
    const { perSecond: _rate, ...rest } = single;
    return {
      many,
      single: { ...rest, p50Ms: percentile(latencies, 50), p99Ms: percentile(latencies, 99) },
    };
  } finally {
    worker.shutdown();
    await running;
    await native.close();
  }
}

async function timed(server: Server, n: number, work: () => Promise<void>): Promise<WireFigures> {
  const cpuBefore = serverCpuMs(server.pid);
  const before = performance.now();
  await work();
  const seconds = (performance.now() - before) / 1000;
  const cpuAfter = serverCpuMs(server.pid);
  const known = cpuBefore !== undefined && cpuAfter !== undefined;
  return {
    n,
    perSecond: n / seconds,
    ...(known && { serverCpuMs: (cpuAfter - cpuBefore) / n }),
  };
}
