/**
 * What the core answers when it will not do a thing (section 15). Data, not an exception: the service room
 * turns it into an error with a gRPC status at the waist.
 */
export type RefusalCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'FAILED_PRECONDITION'
  | 'RESOURCE_EXHAUSTED'
  | 'PERMISSION_DENIED'
  | 'UNIMPLEMENTED'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'CANCELLED'
  | 'ABORTED'
  | 'INTERNAL';

/** The message packed into `grpc-status-details-bin`. */
export type RefusalDetail =
  | { readonly kind: 'notFound' }
  | { readonly kind: 'namespaceNotFound'; readonly namespace: string }
  | {
      readonly kind: 'workflowExecutionAlreadyStarted';
      readonly startRequestId: string;
      readonly runId: string;
    }
  | { readonly kind: 'namespaceAlreadyExists' }
  | { readonly kind: 'cancellationAlreadyRequested' }
  | { readonly kind: 'queryFailed'; readonly failure?: import('./proto.ts').Failure }
  | { readonly kind: 'workflowNotReady' }
  | {
      readonly kind: 'resourceExhausted';
      readonly cause:
        'busyWorkflow' | 'rps' | 'concurrentLimit' | 'systemOverloaded' | 'persistenceLimit';
    }
  | { readonly kind: 'permissionDenied'; readonly reason: string }
  | { readonly kind: 'namespaceUnavailable'; readonly namespace: string }
  /** UP-8: one for each operation, in order; undefined for one that another's failure ended. */
  | { readonly kind: 'multiOperation'; readonly refusals: readonly (Refusal | undefined)[] };

export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
  readonly detail?: RefusalDetail;
}
