/** Wire integers and spans, as numbers. */
import Long from 'long';
import type { google } from '@temporalio/proto';

export function numberOf(value: Long | number | string | null | undefined): number {
  if (value === null || value === undefined) return 0;
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return Number(value);
  // Ids and times fit into a double; this is Long.toNumber without the call.
  return value.high === 0 ? value.low >>> 0 : value.toNumber();
}

export function durationOf(ms: number): google.protobuf.IDuration {
  const seconds = Math.trunc(ms / 1000);
  return {
    seconds: longOf(seconds),
    nanos: Math.round((ms - seconds * 1000) * 1e6),
  };
}

/** Absent is 0, "not set". */
export function msOfDuration(value: google.protobuf.IDuration | null | undefined): number {
  return value ? numberOf(value.seconds) * 1000 + (value.nanos ?? 0) / 1e6 : 0;
}

export function longOf(value: number): Long {
  return value === (value | 0) ? Long.fromInt(value) : Long.fromNumber(value);
}
