/** The waist over gRPC: a Temporal server, or the gateway of another process, behind the interface of the engine. */
import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { ServiceError } from './service-error.ts';
import type { CallContext, Rpc, WorkflowService } from './workflow-service.ts';

/** What protobufjs knows of a service; its static types leave it out. */
interface ReflectedService {
  readonly methods: Readonly<Record<string, unknown>>;
}

/** Calls fail as the connection does: with a status number in `code`. */
export function remoteService(connection: Connection): WorkflowService {
  const reflected = proto.temporal.api.workflowservice.v1.WorkflowService;
  const wire = connection.workflowService as unknown as Readonly<
    Record<string, (request: object) => Promise<object>>
  >;
  const calls: Record<string, Rpc<object, object>> = {};
  for (const rpc of Object.keys((reflected as unknown as ReflectedService).methods)) {
    const name = rpc.charAt(0).toLowerCase() + rpc.slice(1);
    calls[name] = async (request, call = {}) =>
      within(connection, call, async () => wire[name]?.(request) ?? {});
  }
  return calls as unknown as WorkflowService;
}

async function within<T>(
  connection: Connection,
  { deadline, signal, metadata }: CallContext,
  run: () => Promise<T>,
): Promise<T> {
  // The connection never stops listening to a signal that it was given, so each call has one of its own.
  const own = new AbortController();
  const abort = (): void => own.abort();
  if (signal?.aborted === true) {
    throw new ServiceError({ code: 'CANCELLED', message: 'Cancelled on client' });
  }
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const cancellable = (): Promise<T> => connection.withAbortSignal(own.signal, run);
    const described = (): Promise<T> =>
      metadata ? connection.withMetadata(metadata, cancellable) : cancellable();
    return await (deadline === undefined
      ? described()
      : connection.withDeadline(deadline, described));
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
