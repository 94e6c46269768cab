/** One transition's events as the wire's bytes: encoded once, at commit, and stored as they are (decision 6). */
import proto from '@temporalio/proto';
import type { HistoryEvent } from './proto.ts';
import { WireWriter } from './wire-writer.ts';

const { History, HistoryEvent: EventType } = proto.temporal.api.history.v1;

interface Encoder {
  encode(message: object, writer: WireWriter): WireWriter;
}
/** What protobufjs knows of a type at run time; its static types leave it out. */
interface Reflected {
  readonly fieldsArray: readonly {
    readonly name: string;
    readonly id: number;
    readonly type: string;
    readonly repeated: boolean;
    resolve(): { readonly resolvedType: unknown };
  }[];
}
interface Field {
  readonly tag: number;
  readonly scalar: 'int32' | 'int64' | 'bool' | undefined;
  readonly repeated: boolean;
  readonly message: Encoder | undefined;
}

/** An event has a dozen of its seventy fields at most, so its encoder goes by what is there. */
const fields = new Map<string, Field>();
for (const field of (EventType as unknown as Reflected).fieldsArray) {
  const { resolvedType } = field.resolve();
  const isMessage = typeof (resolvedType as Partial<Encoder> | null)?.encode === 'function';
  fields.set(field.name, {
    tag: ((field.id << 3) | (isMessage ? 2 : 0)) >>> 0,
    scalar: isMessage
      ? undefined
      : field.type === 'int64' || field.type === 'bool'
        ? field.type
        : 'int32',
    repeated: field.repeated,
    message: isMessage ? (resolvedType as Encoder) : undefined,
  });
}

const writer = new WireWriter();

export function encodeBatch(events: readonly HistoryEvent[]): Uint8Array {
  try {
    for (const event of events) {
      writer.uint32(10).fork();
      // Own fields only: a decoded event inherits the defaults of what it does not have.
      for (const name of Object.keys(event)) encodeField(name, event[name as keyof HistoryEvent]);
      writer.ldelim();
    }
    return writer.finish();
  } catch (error) {
    writer.clear();
    throw error;
  }
}

function encodeField(name: string, value: unknown): void {
  const field = fields.get(name);
  if (value === null || value === undefined || !field) return;
  const { tag, message, repeated, scalar } = field;
  if (!message) {
    writer.uint32(tag)[scalar ?? 'int32'](value as never);
    return;
  }
  const values = repeated ? (value as object[]) : [value];
  for (const one of values) message.encode(one, writer.uint32(tag).fork()).ldelim();
}

export function decodeBatch(bytes: Uint8Array): HistoryEvent[] {
  return History.decode(bytes).events;
}

/** The bytes of a batch's events fromEventId … untilEventId − 1. The ids of a batch have no gap. */
export function sliceBatch(
  batch: {
    readonly firstEventId: number;
    readonly nextEventId: number;
    readonly bytes: Uint8Array;
  },
  fromEventId: number,
  untilEventId: number,
): Uint8Array {
  const { firstEventId, nextEventId, bytes } = batch;
  if (fromEventId <= firstEventId && nextEventId <= untilEventId) return bytes;
  let start = fromEventId <= firstEventId ? 0 : bytes.length;
  let at = 0;
  for (let id = firstEventId; id < untilEventId && at < bytes.length; id += 1) {
    if (id === fromEventId) start = at;
    at = endOfField(bytes, at);
  }
  return bytes.subarray(Math.min(start, at), at);
}

/** Behind a message that begins there: its tag of one byte, its length, its bytes. */
function endOfField(bytes: Uint8Array, start: number): number {
  let length = 0;
  let at = start + 1;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return at + length;
  }
}
