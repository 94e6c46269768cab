/** Wire times and spans to milliseconds and back. Internal time is epoch milliseconds, a span is milliseconds. */
import Long from 'long';
import type { google } from '@temporalio/proto';

export type WireLong = Long | number | string | null | undefined;

export function numberOf(value: WireLong): number {
  if (value === null || value === undefined) return 0;
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return Number(value);
  return value.toNumber();
}

/** int64 on the wire. Ids up to 127 come from Long's cache. */
export function longOf(value: number): Long {
  return value === (value | 0) ? Long.fromInt(value) : Long.fromNumber(value);
}

export function timestampOf(ms: number): google.protobuf.ITimestamp {
  const seconds = Math.floor(ms / 1000);
  return { seconds: longOf(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

export function msOfTimestamp(value: google.protobuf.ITimestamp | null | undefined): number {
  return value ? numberOf(value.seconds) * 1000 + (value.nanos ?? 0) / 1e6 : 0;
}

export function durationOf(ms: number): google.protobuf.IDuration {
  const seconds = Math.trunc(ms / 1000);
  return { seconds: longOf(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

/** Absent is 0, which everywhere means "not set". */
export function msOfDuration(value: google.protobuf.IDuration | null | undefined): number {
  return value ? numberOf(value.seconds) * 1000 + (value.nanos ?? 0) / 1e6 : 0;
}

/** Longest span the wire's timeouts may have: a hundred years. Longer ones are cut to it. */
export const spanMaxMs = 100 * 365 * 24 * 3_600_000;
