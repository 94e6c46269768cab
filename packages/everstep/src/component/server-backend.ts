import { Client, Connection } from '@temporalio/client';
import { EverstepError } from '../service/error-codes.ts';
import { interceptors } from '../service/closed-channel.ts';
import { processLoad } from '../service/process-load.ts';
import { remoteService } from '../service/remote-service.ts';
import { systemClock, systemRandom } from '../service/system-clock.ts';
import { grpcCode, grpcCodeOf } from '../tasks/task-client.ts';
import { TaskWorker } from '../tasks/task-worker.ts';
import { AddedWorkers } from './added-workers.ts';
import type { Attached, Backend, StartOptions, Work } from './backend.ts';
import type { ServerOptions } from './component-options.ts';
import { registerAttributes } from './register-attributes.ts';

/** Until a server that does not answer counts as not there. */
const connectMs = 5_000;

/** A Temporal server, or `everstep server`, over gRPC. */
export class ServerBackend implements Backend {
  readonly failure = undefined;
  readonly #options: ServerOptions;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  get description(): string {
    return `the Temporal server at ${this.#options.address}`;
  }

  /** @throws EverstepError SERVER_UNREACHABLE, SERVER_REFUSED. */
  async start(options: StartOptions): Promise<Attached> {
    const connection = await this.#connect();
    try {
      const client = await clientOn(connection, options);
      const { work } = options;
      const worker = work && (await startWorker(connection, client, options, work));
      const added = new AddedWorkers();
      return {
        client,
        worker,
        addWorker: async (more) => added.add(await startWorker(connection, client, options, more)),
        serverOptions: () => Promise.resolve(this.#options),
        stop: async (graceMs, drained) => {
          try {
            await added.stop(graceMs);
            await worker?.stop(graceMs);
          } finally {
            drained();
            await connection.close();
          }
        },
      };
    } catch (error) {
      await connection.close().catch(() => undefined);
      throw this.#refusal(error, options.namespace) ?? error;
    }
  }

  async #connect(): Promise<Connection> {
    try {
      return await Connection.connect({
        ...this.#options,
        connectTimeout: connectMs,
        interceptors,
      });
    } catch (cause) {
      const refusal = this.#refusal(cause);
      if (refusal) throw refusal;
      throw new EverstepError(
        'SERVER_UNREACHABLE',
        `The Temporal server at ${this.#options.address} cannot be reached: ${reasonOf(cause)}. Check the address (temporalAddress or TEMPORAL_ADDRESS), that the server runs, and whether it wants TLS.`,
        { cause },
      );
    }
  }

  #refusal(cause: unknown, namespace?: string): EverstepError | undefined {
    const code = grpcCodeOf(cause);
    const { address } = this.#options;
    if (code === grpcCode.notFound && namespace !== undefined) {
      const message = `The namespace "${namespace}" is not known to the Temporal server at ${address}. Create it there (temporal operator namespace create), or give another one (namespace or TEMPORAL_NAMESPACE).`;
      return new EverstepError('SERVER_REFUSED', message, { cause });
    }
    if (code !== grpcCode.permissionDenied && code !== grpcCode.unauthenticated) return undefined;
    const message = `The Temporal server at ${address} refuses this process: ${reasonOf(cause)}. Check apiKey (or TEMPORAL_API_KEY) and tls.`;
    return new EverstepError('SERVER_REFUSED', message, { cause });
  }
}

async function clientOn(
  connection: Connection,
  { namespace, searchAttributes, dataConverter }: StartOptions,
): Promise<Client> {
  await connection.workflowService.describeNamespace({ namespace });
  await registerAttributes(connection.operatorService, namespace, searchAttributes);
  return new Client({
    connection,
    namespace,
    ...(dataConverter !== undefined && { dataConverter }),
  });
}

async function startWorker(
  connection: Connection,
  client: Client,
  { namespace, logger }: StartOptions,
  work: Work,
): Promise<TaskWorker> {
  const worker = new TaskWorker({
    ...work,
    service: remoteService(connection),
    ...(work.concurrency?.target && { sampleLoad: processLoad() }),
    namespace,
    identity: client.options.identity,
    clock: systemClock,
    random: systemRandom,
    logger,
    dataConverter: client.options.loadedDataConverter,
  });
  await worker.start();
  return worker;
}

/** What the innermost error says: the outer ones only say that the connection failed. */
function reasonOf(cause: unknown): string {
  let at = cause;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  const { details, message } = at as { readonly details?: unknown; readonly message?: unknown };
  return String(details ?? message ?? at).replace(/\.$/, '');
}
