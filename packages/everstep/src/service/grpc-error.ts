/**
 * A service error as gRPC clients know it: `code`, `details`, and `metadata` whose `grpc-status-details-bin` holds
 * a google.rpc.Status with the packed detail of section 15 (temporal.api.errordetails.v1). The official client
 * reads run ids and error types from there. Used by the in-process connection and by the gateway.
 */
import { Metadata } from '@grpc/grpc-js';
import proto from '@temporalio/proto';
import { cutFailure } from '../core/failure.ts';
import type { Refusal, RefusalDetail } from '../core/refusal.ts';
import { grpcStatus, ServiceError } from './service-error.ts';

/**
 * An error travels in trailers. Above 64 KB Node.js sends none, and the caller would wait until its deadline; so what
 * callers and workers put into a message or a failure is cut. A character may take nine bytes there.
 */
const messageCharsMax = 2_000;
const failureBytesMax = 16_000;

/** Shaped as `@grpc/grpc-js`'s ServiceError, which is what `isGrpcServiceError` of the official client looks for. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  /** gRPC status number. Writable, as the official client rewrites it for multi-operations. */
  code: number;
  details: string;
  readonly metadata: Metadata;

  constructor(
    code: number,
    details: string,
    metadata: Metadata,
    options?: { readonly cause?: unknown },
  ) {
    super(`${code} ${nameOfStatus(code)}: ${details}`, options);
    this.code = code;
    this.details = details;
    this.metadata = metadata;
  }
}

/** Any error as a gRPC error. One that is no ServiceError is a bug of ours: INTERNAL, with its message. */
export function grpcErrorOf(error: unknown): GrpcError {
  if (error instanceof GrpcError) return error;
  if (!(error instanceof ServiceError)) {
    const message = error instanceof Error ? error.message : String(error);
    return new GrpcError(grpcStatus.INTERNAL, cut(message), new Metadata(), { cause: error });
  }
  const metadata = new Metadata();
  const status = statusBytes(error);
  if (status !== undefined) metadata.set('grpc-status-details-bin', status);
  return new GrpcError(error.status, cut(error.message), metadata, { cause: error });
}

function cut(text: string): string {
  return text.length <= messageCharsMax ? text : `${text.slice(0, messageCharsMax - 1)}…`;
}

export function unimplemented(method: string): GrpcError {
  return grpcErrorOf(
    new ServiceError({
      code: 'UNIMPLEMENTED',
      message: `${method} is not built in the embedded engine.`,
    }),
  );
}

function statusBytes(error: ServiceError): Buffer | undefined {
  if (error.detail === undefined) return undefined;
  const bytes = proto.google.rpc.Status.encode(statusOf(error)).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function statusOf({ code, message: whole, detail }: Refusal | ServiceError): {
  code: number;
  message: string;
  details: { type_url: string; value: Uint8Array }[];
} {
  const message = cut(whole);
  if (detail === undefined) return { code: grpcStatus[code], message, details: [] };
  const [typeName, value] = packed(detail);
  const type_url = `type.googleapis.com/temporal.api.errordetails.v1.${typeName}`;
  return { code: grpcStatus[code], message, details: [{ type_url, value }] };
}

/** Of an operation that did not happen because another failed. */
const aborted = {
  code: grpcStatus.ABORTED,
  message: 'Operation was aborted.',
  details: [
    {
      type_url: 'type.googleapis.com/temporal.api.failure.v1.MultiOperationExecutionAborted',
      value: proto.temporal.api.failure.v1.MultiOperationExecutionAborted.encode({}).finish(),
    },
  ],
};

const details = proto.temporal.api.errordetails.v1;
const { ResourceExhaustedCause, ResourceExhaustedScope } = proto.temporal.api.enums.v1;

const exhaustedCauses = {
  busyWorkflow: ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW,
  rps: ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_RPS_LIMIT,
  concurrentLimit: ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT,
  systemOverloaded: ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED,
  persistenceLimit: ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_PERSISTENCE_LIMIT,
} as const;

function packed(detail: RefusalDetail): [typeName: string, bytes: Uint8Array] {
  switch (detail.kind) {
    case 'notFound':
      return ['NotFoundFailure', details.NotFoundFailure.encode({}).finish()];
    case 'namespaceNotFound':
      return [
        'NamespaceNotFoundFailure',
        details.NamespaceNotFoundFailure.encode({ namespace: cut(detail.namespace) }).finish(),
      ];
    case 'workflowExecutionAlreadyStarted':
      return [
        'WorkflowExecutionAlreadyStartedFailure',
        details.WorkflowExecutionAlreadyStartedFailure.encode({
          startRequestId: detail.startRequestId,
          runId: detail.runId,
        }).finish(),
      ];
    case 'namespaceAlreadyExists':
      return [
        'NamespaceAlreadyExistsFailure',
        details.NamespaceAlreadyExistsFailure.encode({}).finish(),
      ];
    case 'cancellationAlreadyRequested':
      return [
        'CancellationAlreadyRequestedFailure',
        details.CancellationAlreadyRequestedFailure.encode({}).finish(),
      ];
    case 'queryFailed':
      return [
        'QueryFailedFailure',
        details.QueryFailedFailure.encode(
          detail.failure === undefined
            ? {}
            : { failure: cutFailure(detail.failure, failureBytesMax) },
        ).finish(),
      ];
    case 'workflowNotReady':
      return ['WorkflowNotReadyFailure', details.WorkflowNotReadyFailure.encode({}).finish()];
    case 'resourceExhausted':
      return [
        'ResourceExhaustedFailure',
        details.ResourceExhaustedFailure.encode({
          cause: exhaustedCauses[detail.cause],
          scope: ResourceExhaustedScope.RESOURCE_EXHAUSTED_SCOPE_NAMESPACE,
        }).finish(),
      ];
    case 'permissionDenied':
      return [
        'PermissionDeniedFailure',
        details.PermissionDeniedFailure.encode({ reason: cut(detail.reason) }).finish(),
      ];
    case 'namespaceUnavailable':
      return [
        'NamespaceUnavailableFailure',
        details.NamespaceUnavailableFailure.encode({ namespace: cut(detail.namespace) }).finish(),
      ];
    case 'multiOperation':
      return [
        'MultiOperationExecutionFailure',
        details.MultiOperationExecutionFailure.encode({
          statuses: detail.refusals.map((refusal) => (refusal ? statusOf(refusal) : aborted)),
        }).finish(),
      ];
  }
}

export function nameOfStatus(code: number): string {
  return Object.entries(grpcStatus).find(([, number]) => number === code)?.[0] ?? 'UNKNOWN';
}
