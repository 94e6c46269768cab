/** Outbox messages as bytes. They hold ids and names only; contents stand in the sender's history. */
import type { OutboxMessage } from '../core/input.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeOutbox(message: OutboxMessage): Uint8Array {
  return encoder.encode(JSON.stringify(message));
}

export function decodeOutbox(bytes: Uint8Array): OutboxMessage {
  return JSON.parse(decoder.decode(bytes)) as OutboxMessage;
}
