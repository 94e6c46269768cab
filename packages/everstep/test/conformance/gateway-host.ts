/** A server of this process on a free port, and what official clients and workers need to reach it. */
import { Connection, Client } from '@temporalio/client';
import { NativeConnection, Runtime, Worker, makeTelemetryFilterString } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { EverstepServer, type EverstepServerOptions } from '../../src/component/everstep-server.ts';
import type { Logger } from '../../src/service/logger.ts';

/** Errors the server has logged: there should be none. */
const serverErrors: string[] = [];

const ignore = (): void => undefined;
const logger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: (message, fields) => {
    const error = fields?.['error'];
    serverErrors.push(`${message}: ${error instanceof Error ? error.stack : String(error)}`);
  },
};

/** The worker's log would drown the tests'. */
export function quietWorkers(): void {
  Runtime.install({
    logger: {
      log: ignore,
      trace: ignore,
      debug: ignore,
      info: ignore,
      warn: ignore,
      error: ignore,
    },
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'ERROR' }) },
    },
  });
}

export interface GatewayHost {
  readonly address: string;
  readonly client: Client;
  readonly native: NativeConnection;
  readonly stop: () => Promise<void>;
}

/** The server alone, for tests that connect in their own way. */
export async function startServer(
  options: Partial<EverstepServerOptions> = {},
): Promise<{ readonly address: string; readonly stop: () => Promise<void> }> {
  const server = new EverstepServer({
    store: 'memory',
    host: '127.0.0.1',
    port: 0,
    namespaces: ['default'],
    retentionMs: 86_400_000,
    logger,
    ...options,
  });
  const address = `127.0.0.1:${await server.start()}`;
  return {
    address,
    stop: async () => {
      await server.stop();
      assert.deepEqual(serverErrors, []);
    },
  };
}

export async function startGateway(
  options: Partial<EverstepServerOptions> = {},
): Promise<GatewayHost> {
  const { address, stop } = await startServer(options);
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  return {
    address,
    client: new Client({ connection }),
    native,
    stop: async () => {
      await connection.close();
      await native.close();
      await stop();
    },
  };
}

export function makeWorker(
  host: GatewayHost,
  taskQueue: string,
  options: Partial<WorkerOptions> = {},
): Promise<Worker> {
  return Worker.create({
    connection: host.native,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('./gateway-workflows.ts', import.meta.url)),
    ...options,
  });
}
