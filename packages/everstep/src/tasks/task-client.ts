/**
 * What a task needs to reach its runs: an official client, a clock and chance. The calls here are the few that
 * the client's high-level methods have no word for; they go through the same connection.
 */
import type { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import {
  decodeFromPayloadsAtIndex,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import type { Clock, Random } from '../service/clock.ts';
import { EverstepError } from '../service/error-codes.ts';
import { isEngineStopped, isStoreFailedForGood } from '../service/service-error.ts';
import { shown } from './duration.ts';
import type { HistoryEvent, RunDescription } from './task-status.ts';

export interface TaskClient {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
}

/** What a value is that is no official client; undefined when it is one. */
export function clientProblem(value: unknown): string | undefined {
  const { workflow, workflowService, options } = Object(value) as Partial<
    Record<keyof Client, unknown>
  >;
  if ([workflow, workflowService, options].every((part) => Object(part) === part)) return undefined;
  return `${shown(value)}; expected a Client of @temporalio/client, such as new Client({ connection }) or a component's getClient()`;
}

/** gRPC status numbers. */
export const grpcCode = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  unimplemented: 12,
  unauthenticated: 16,
} as const;

/** The gRPC status of an error of the connection, or of what the official client made of one. */
export function grpcCodeOf(error: unknown): number | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; depth += 1) {
    if ('code' in at && typeof at.code === 'number') return at.code;
    at = at.cause;
  }
  return undefined;
}

/** The task is unknown; a namespace that is unknown is another matter, and stays an error. */
export function isUnknownRun(error: unknown): boolean {
  if (grpcCodeOf(error) !== grpcCode.notFound) return false;
  const metadata = (error as { metadata?: { get?(key: string): unknown[] } }).metadata;
  const status = metadata?.get?.('grpc-status-details-bin')[0];
  return !(status instanceof Buffer && status.includes('NamespaceNotFoundFailure'));
}

/**
 * Makes a call, and says what it means when the component stopped under it, or its store failed.
 *
 * @throws EverstepError TASK_NOT_CONNECTED, COMPONENT_FAILED; and what the call throws.
 */
export async function reach<T>(
  what: string,
  taskId: string | undefined,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw unreached(cause, what, taskId) ?? cause;
  }
}

export function unreached(
  cause: unknown,
  what: string,
  taskId: string | undefined,
): EverstepError | undefined {
  const about = taskId === undefined ? { cause } : { cause, taskId };
  for (let at: unknown = cause, depth = 0; at instanceof Error && depth < 5; depth += 1) {
    if (isEngineStopped(at)) {
      return new EverstepError(
        'TASK_NOT_CONNECTED',
        `The component was stopped during ${what}. What was accepted is kept, and goes on when a worker runs on its store: ask a component that is started.`,
        about,
      );
    }
    if (isStoreFailedForGood(at)) {
      return new EverstepError(
        'COMPONENT_FAILED',
        `${what} is refused, because the component has failed. ${at.message} A component that has failed stays so: stop it, and start a new one.`,
        about,
      );
    }
    at = at.cause;
  }
  return undefined;
}

/** The chain's current run, or that run. Undefined when it is unknown. */
export async function describeRun(
  { client }: TaskClient,
  workflowId: string,
  runId = '',
): Promise<RunDescription | undefined> {
  try {
    return await client.workflowService.describeWorkflowExecution({
      namespace: client.options.namespace,
      execution: { workflowId, runId },
    });
  } catch (error) {
    if (isUnknownRun(error)) return undefined;
    throw error;
  }
}

export interface HistoryRequest {
  readonly workflowId: string;
  readonly runId: string;
  readonly pageToken?: Uint8Array;
  /** Wait for an event that is not there yet, as long as the service lets a caller wait. */
  readonly wait?: boolean;
  readonly closeEventOnly?: boolean;
}

export interface HistoryPage {
  readonly events: readonly HistoryEvent[];
  /** Where the next page begins; empty at the end (when waiting: after the close event). */
  readonly nextPageToken: Uint8Array;
}

export async function historyPage(
  { client }: TaskClient,
  request: HistoryRequest,
): Promise<HistoryPage> {
  const { workflowId, runId, wait, closeEventOnly, pageToken } = request;
  const reply = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    waitNewEvent: wait === true,
    historyEventFilterType: closeEventOnly === true ? 2 : 1,
    ...(pageToken !== undefined && { nextPageToken: pageToken }),
  });
  return { events: reply.history?.events ?? [], nextPageToken: reply.nextPageToken };
}

export async function wholeHistory(
  task: TaskClient,
  workflowId: string,
  runId: string,
): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let pageToken: Uint8Array | undefined;
  do {
    const page = await historyPage(task, {
      workflowId,
      runId,
      ...(pageToken !== undefined && { pageToken }),
    });
    events.push(...page.events);
    pageToken = page.nextPageToken;
  } while (pageToken.length > 0);
  return events;
}

export async function decodedPayload({ client }: TaskClient, payload: Payload): Promise<unknown> {
  return decodeFromPayloadsAtIndex(client.options.loadedDataConverter, 0, [payload]);
}

export async function decodedFailure(
  { client }: TaskClient,
  failure: temporal.api.failure.v1.IFailure,
): Promise<Error> {
  const error = await decodeOptionalFailureToOptionalError(
    client.options.loadedDataConverter,
    failure,
  );
  return error as Error;
}
