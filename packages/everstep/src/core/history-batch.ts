/** One transition's events as the wire's bytes: encoded once, at commit, and stored as they are (decision 6). */
import proto from '@temporalio/proto';
import type { HistoryEvent } from './proto.ts';

const { History } = proto.temporal.api.history.v1;

export function encodeBatch(events: readonly HistoryEvent[]): Uint8Array {
  return History.encode({ events: events as HistoryEvent[] }).finish();
}

export function decodeBatch(bytes: Uint8Array): HistoryEvent[] {
  return History.decode(bytes).events;
}
