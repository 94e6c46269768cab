/**
 * The waist as a connection of the official `@temporalio/client`, in the process: no network, no encoding. A reply
 * becomes an instance of its message class (so that Longs are Longs), an error a gRPC error (grpc-error.ts). A request
 * is checked, because nothing else stands between a caller without types and the engine (request-check.ts).
 * It holds no logic of the service. A call that the service has not built answers UNIMPLEMENTED.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Metadata, OperatorService, WorkflowService as WireService } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { Clock } from './clock.ts';
import { grpcErrorOf, unimplemented } from './grpc-error.ts';
import { checkRequest } from './request-check.ts';
import type { ReflectedMessage } from './request-check.ts';
import { ServiceError } from './service-error.ts';
import type { JoiningConnection } from './transaction.ts';
import type { CallContext, WorkflowService } from './workflow-service.ts';

interface Message {
  fromObject(plain: object): object;
}
/** What protobufjs knows of a service at run time (its static types leave it out). */
interface ReflectedService {
  readonly methods: Readonly<
    Record<
      string,
      {
        resolve(): {
          readonly resolvedRequestType: ReflectedMessage | null;
          readonly resolvedResponseType: Message | null;
        };
      }
    >
  >;
}
interface Scope {
  readonly deadline?: number;
  readonly signals: readonly AbortSignal[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly transaction?: unknown;
}
/** Undefined outside of every scope. What a call sets going is outside: a step it starts has a life of its own. */
type Scopes = AsyncLocalStorage<Scope | undefined>;
type Call = (request: object, call?: CallContext) => Promise<object>;

const noScope: Scope = { signals: [], metadata: {} };

/**
 * A connection over a service of this process.
 *
 * `clock` tells when a deadline has passed: a call that is still waiting then rejects with DEADLINE_EXCEEDED, as an
 * aborted one does with CANCELLED, whether or not the service itself lets go in time.
 */
export function inProcessConnection(service: WorkflowService, clock: Clock): JoiningConnection {
  const scopes: Scopes = new AsyncLocalStorage();
  const within = <R>(change: (scope: Scope) => Scope, run: () => Promise<R>): Promise<R> =>
    scopes.run(change(scopes.getStore() ?? noScope), run);
  const handlers = service as unknown as Readonly<Record<string, Call | undefined>>;
  return {
    workflowService: wireService<WireService>(
      proto.temporal.api.workflowservice.v1.WorkflowService as unknown as ReflectedService,
      handlers,
      scopes,
      clock,
    ),
    operatorService: wireService<OperatorService>(
      proto.temporal.api.operatorservice.v1.OperatorService as unknown as ReflectedService,
      {},
      scopes,
      clock,
    ),
    plugins: [],
    close: () => Promise.resolve(),
    ensureConnected: () => Promise.resolve(),
    withDeadline: (deadline, run) =>
      within((scope) => ({ ...scope, deadline: Number(deadline) }), run),
    withMetadata: (metadata, run) =>
      within((scope) => ({ ...scope, metadata: { ...scope.metadata, ...textOf(metadata) } }), run),
    withAbortSignal: (signal, run) =>
      within((scope) => ({ ...scope, signals: [...scope.signals, signal] }), run),
    withTransaction: (transaction, run) => within((scope) => ({ ...scope, transaction }), run),
  };
}

/** gRPC metadata may hold bytes; what this service reads is text. */
function textOf(metadata: Metadata): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key, value]] : [],
    ),
  );
}

function wireService<S>(
  reflected: ReflectedService,
  handlers: Readonly<Record<string, Call | undefined>>,
  scopes: Scopes,
  clock: Clock,
): S {
  const methods: Record<string, (request: object) => Promise<object>> = {};
  for (const [rpc, method] of Object.entries(reflected.methods)) {
    const name = rpc.charAt(0).toLowerCase() + rpc.slice(1);
    const { resolvedRequestType: asked, resolvedResponseType: reply } = method.resolve();
    methods[name] = async (request) => {
      const handle = handlers[name];
      if (handle === undefined || asked === null || reply === null) throw unimplemented(rpc);
      const scope = scopes.getStore();
      try {
        checkRequest(asked, request);
        const answer =
          scope === undefined
            ? await handle.call(handlers, request)
            : await bounded(scope, clock, (call) =>
                scopes.run(undefined, () => handle.call(handlers, request, call)),
              );
        return reply.fromObject(answer);
      } catch (error) {
        throw grpcErrorOf(error);
      }
    };
  }
  return methods as S;
}

async function bounded(
  scope: Scope,
  clock: Clock,
  run: (call: CallContext) => Promise<object>,
): Promise<object> {
  const { deadline, signals, metadata, transaction } = scope;
  const abort = new AbortController();
  const refused = new Promise<never>((_resolve, reject) => {
    abort.signal.addEventListener('abort', () => reject(abort.signal.reason as ServiceError));
  });
  refused.catch(() => undefined);
  const give = (refusal: ServiceError): void => abort.abort(refusal);
  const onAbort = (): void =>
    give(new ServiceError({ code: 'CANCELLED', message: 'Cancelled on client' }));
  const late = (): void =>
    give(new ServiceError({ code: 'DEADLINE_EXCEEDED', message: 'Deadline exceeded' }));
  if (signals.some((signal) => signal.aborted)) onAbort();
  for (const signal of signals) signal.addEventListener('abort', onAbort, { once: true });
  const left = deadline === undefined ? Infinity : deadline - clock.now();
  const timer = Number.isFinite(left) ? clock.setTimer(Math.max(0, left), late) : undefined;
  try {
    const call: CallContext = {
      signal: abort.signal,
      metadata,
      ...(deadline !== undefined && { deadline }),
      ...(transaction !== undefined && { transaction }),
    };
    return abort.signal.aborted ? await refused : await Promise.race([run(call), refused]);
  } finally {
    timer?.cancel();
    for (const signal of signals) signal.removeEventListener('abort', onAbort);
  }
}
