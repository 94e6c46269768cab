/**
 * Something that speaks WorkflowService, called raw: what a call answered becomes plain data that can be compared.
 * The embedded engine and Temporal's own server are both targets, through the same kind of connection.
 */
import type { ConnectionLike } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { RpcName } from '../../../src/service/workflow-service.ts';

export type Plain = { readonly [key: string]: unknown };

export type Outcome =
  | { readonly ok: true; readonly reply: Plain }
  | {
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly details: readonly Plain[];
    };

export interface Target {
  readonly name: string;
  readonly connection: ConnectionLike;
  stop(): Promise<void>;
}

interface MessageClass {
  decode(bytes: Uint8Array): object;
  toObject(message: object, options: object): Plain;
}
interface GrpcFault {
  readonly code: number;
  readonly details: string;
  readonly metadata?: { get(key: string): readonly (Buffer | string)[] };
}

const { workflowservice, errordetails } = proto.temporal.api;
const replies = workflowservice.v1 as unknown as Readonly<Record<string, MessageClass>>;
const details = errordetails.v1 as unknown as Readonly<Record<string, MessageClass | undefined>>;
const asPlain = { longs: String, enums: String, bytes: String };

/** https://grpc.io/docs/guides/status-codes/, in the order of their numbers. */
const codeNames = (
  'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED ' +
  'RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS'
).split(' ');

export async function call(
  target: Target,
  rpc: RpcName,
  request: object,
  deadlineMs = 10_000,
): Promise<Outcome> {
  const { connection } = target;
  const service = connection.workflowService as unknown as Readonly<
    Record<string, (request: object) => Promise<object>>
  >;
  const upper = rpc.charAt(0).toUpperCase() + rpc.slice(1);
  try {
    const reply = await connection.withDeadline(
      Date.now() + deadlineMs,
      async () => (await service[rpc]?.(request)) ?? {},
    );
    const message = replies[`${upper}Response`];
    if (message === undefined) throw new TypeError(`${rpc} has no reply type`);
    return { ok: true, reply: message.toObject(reply, asPlain) };
  } catch (error) {
    if (!isGrpcFault(error)) throw error;
    return {
      ok: false,
      code: codeNames[error.code] ?? String(error.code),
      message: error.details,
      details: detailsOf(error),
    };
  }
}

function isGrpcFault(error: unknown): error is GrpcFault {
  return typeof (error as Partial<GrpcFault> | null)?.code === 'number';
}

function detailsOf(fault: GrpcFault): Plain[] {
  const bytes = fault.metadata?.get('grpc-status-details-bin')[0];
  if (!(bytes instanceof Uint8Array)) return [];
  return proto.google.rpc.Status.decode(bytes).details.map(({ type_url: url, value }) => {
    const name = (url ?? '').split('.').at(-1) ?? '';
    const message = details[name];
    const fields = message
      ? message.toObject(message.decode(value ?? new Uint8Array()), asPlain)
      : {};
    return { name, ...fields };
  });
}
