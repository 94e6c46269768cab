/** Histories as JSON, as protobuf defines it and Temporal's tools write and read it. */
import proto from '@temporalio/proto';
import Long from 'long';
import { EverstepError } from '../service/error-codes.ts';
import { shown } from '../tasks/duration.ts';
import type { History } from './test-environment.ts';

interface Field {
  readonly map?: boolean;
  readonly repeated: boolean;
  readonly type: string;
  readonly resolvedType: Type | Enum | null;
  resolve(): Field;
}
/** What protobufjs knows of a type at run time; its static types leave it out. */
interface Type {
  readonly fullName: string;
  readonly fields: Readonly<Record<string, Field>>;
}
interface Enum {
  readonly valuesById: Readonly<Record<number, string>>;
}

const historyType = proto.temporal.api.history.v1.History as unknown as Type;

/** To be kept beside the code, for `replay`. @throws EverstepError REPLAY_HISTORY_INVALID */
export function historyToJson(history: History): string {
  if (typeof history !== 'object' || history === null) {
    throw new EverstepError(
      'REPLAY_HISTORY_INVALID',
      `historyToJson() was given ${shown(history)}; expected the events of a run, as TestEnvironment.history() or a handle's fetchHistory() gives them.`,
    );
  }
  return JSON.stringify(messageToJson(historyType, history), undefined, 2);
}

function messageToJson(type: Type, message: object): unknown {
  if (type.fullName === '.google.protobuf.Timestamp') return timestampToJson(message);
  if (type.fullName === '.google.protobuf.Duration') return durationToJson(message);
  const json: Record<string, unknown> = {};
  // Own fields only: what is not set stands in the prototype.
  for (const [name, value] of Object.entries(message)) {
    const field = type.fields[name]?.resolve();
    if (field === undefined || value === null || value === undefined) continue;
    json[name] = fieldToJson(field, value);
  }
  return json;
}

function fieldToJson(field: Field, value: unknown): unknown {
  if (field.map === true) {
    const entries = Object.entries(value as object);
    return Object.fromEntries(entries.map(([key, item]) => [key, valueToJson(field, item)]));
  }
  if (field.repeated) return (value as unknown[]).map((item) => valueToJson(field, item));
  return valueToJson(field, value);
}

function valueToJson({ resolvedType }: Field, value: unknown): unknown {
  if (resolvedType && 'valuesById' in resolvedType) {
    return resolvedType.valuesById[value as number] ?? value;
  }
  if (resolvedType) return messageToJson(resolvedType, value as object);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  // 64-bit numbers are text in protobuf's JSON.
  return Long.isLong(value) ? value.toString() : value;
}

function parts(message: object): { seconds: bigint; nanos: number } {
  const { seconds, nanos } = message as { seconds?: Long | null; nanos?: number | null };
  return { seconds: BigInt((seconds ?? Long.ZERO).toString()), nanos: nanos ?? 0 };
}

function timestampToJson(message: object): string {
  const { seconds, nanos } = parts(message);
  const date = new Date(Number(seconds) * 1000).toISOString();
  return `${date.slice(0, 19)}${fraction(nanos)}Z`;
}

function durationToJson(message: object): string {
  const { seconds, nanos } = parts(message);
  const sign = seconds < 0n || nanos < 0 ? '-' : '';
  return `${sign}${seconds < 0n ? -seconds : seconds}${fraction(Math.abs(nanos))}s`;
}

function fraction(nanos: number): string {
  return nanos === 0 ? '' : `.${nanos.toString().padStart(9, '0')}`;
}
