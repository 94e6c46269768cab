/** An official worker says how it is, once the namespace says that somebody listens. */
import { Runtime, makeTelemetryFilterString } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeWorker, startGateway, type GatewayHost } from './gateway-host.ts';

let host: GatewayHost;

beforeAll(async () => {
  Runtime.install({
    workerHeartbeatInterval: '1s',
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'ERROR' }) },
    },
  });
  host = await startGateway();
});

afterAll(() => host.stop());

it('a worker is listed as running, and as shutting down once it has left', async () => {
  const { workflowService } = host.client.connection;
  const worker = await makeWorker(host, 'beating', { identity: 'ada@here' });
  const statuses = async (): Promise<unknown[]> => {
    const { workers } = await workflowService.listWorkers({
      namespace: 'default',
      query: "TaskQueue = 'beating'",
    });
    return workers.flatMap(({ workerIdentity, status }) => [workerIdentity, status]);
  };
  await worker.runUntil(async () => {
    await expect.poll(statuses, { timeout: 20_000 }).toEqual(['ada@here', 1]);
  });
  expect(await statuses()).toEqual(['ada@here', 2]);
}, 60_000);
