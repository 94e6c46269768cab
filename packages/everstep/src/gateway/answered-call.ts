/** One call: from the bytes of a request to the bytes of its reply, or to an error with its details. */
import type { ServerUnaryCall } from '@grpc/grpc-js';
import { GrpcError, grpcErrorOf, unimplemented } from '../service/grpc-error.ts';
import type { Logger } from '../service/logger.ts';
import { ServiceError } from '../service/service-error.ts';
import type { CallContext } from '../service/workflow-service.ts';
import { unpackedRequest } from './packed-request.ts';
import type { RateLimit } from './rate-limit.ts';
import type { WireMethod } from './wire-method.ts';

/** Throws a ServiceError when the caller may not. */
export type Authorize = (
  method: string,
  namespace: string | undefined,
  caller: { readonly authorization: string | undefined; readonly commonName: string | undefined },
) => void;

export type Handler = (request: object, call: CallContext) => Promise<object>;

/** A call begins; what is given back is called at its end, with the name of the status when it was refused. */
export type WatchCall = (rpc: string) => (errorCode?: string) => void;

export interface CallRules {
  readonly logger: Logger;
  /** Of a request, unpacked. */
  readonly requestBytesMax: number;
  readonly authorize?: Authorize | undefined;
  readonly rateLimit?: RateLimit | undefined;
  readonly watchCall?: WatchCall | undefined;
}

/** Rejects with a GrpcError and nothing else. */
export async function answeredCall(
  method: WireMethod,
  handler: Handler | undefined,
  call: ServerUnaryCall<Buffer, Buffer>,
  { logger, requestBytesMax, authorize, rateLimit }: CallRules,
): Promise<Buffer> {
  if (!handler && !authorize) throw unimplemented(method.rpc);
  const left = new AbortController();
  const leave = (): void => {
    left.abort();
  };
  call.once('cancelled', leave);
  try {
    const unpacked = unpackedRequest(call.metadata, call.request, requestBytesMax);
    const request = decoded(method, unpacked instanceof Buffer ? unpacked : await unpacked);
    const context = contextOf(call, left.signal);
    const { namespace } = request as { readonly namespace?: string };
    if (authorize) {
      authorize(method.name, namespace, {
        authorization: context.metadata?.['authorization'],
        commonName: commonNameOf(call),
      });
    }
    rateLimit?.take(namespace);
    if (!handler) throw unimplemented(method.rpc);
    const reply = await handler(request, context);
    return method.encodeReply(reply);
  } catch (error) {
    throw shownError(method, error, logger);
  } finally {
    call.off('cancelled', leave);
  }
}

function decoded(method: WireMethod, bytes: Buffer): object {
  try {
    return method.decodeRequest(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ServiceError(
      {
        code: 'INVALID_ARGUMENT',
        message: `The request is no valid ${method.requestType}: ${reason}.`,
      },
      { cause: error },
    );
  }
}

function contextOf(call: ServerUnaryCall<Buffer, Buffer>, signal: AbortSignal): CallContext {
  const deadline = Number(call.getDeadline());
  const metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(call.metadata.getMap())) {
    if (typeof value === 'string') metadata[key] = value;
  }
  return { signal, metadata, ...(Number.isFinite(deadline) && { deadline }) };
}

/** The name in a certificate that the transport has verified; without mutual TLS there is none. */
function commonNameOf(call: ServerUnaryCall<Buffer, Buffer>): string | undefined {
  const name = call.getAuthContext().sslPeerCertificate?.subject?.CN;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** What a caller may see. A bug of ours, and what a store says of its file, go to the log instead. */
function shownError(method: WireMethod, error: unknown, logger: Logger): GrpcError {
  if (error instanceof ServiceError || error instanceof GrpcError) return grpcErrorOf(error);
  if (error instanceof Error && error.name === 'StoreError') {
    logger.warn(`${method.rpc} failed in the store`, { error });
    return grpcErrorOf(
      new ServiceError(
        {
          code: 'UNAVAILABLE',
          message: 'The store could not take the call; the log of the server says why.',
        },
        { cause: error },
      ),
    );
  }
  logger.error(`${method.rpc} failed by a fault of the server`, { error });
  return grpcErrorOf(
    new ServiceError(
      {
        code: 'INTERNAL',
        message: `${method.rpc} failed by a fault of the server; its log says where.`,
      },
      { cause: error },
    ),
  );
}
