/**
 * Sizes of what workers and clients send, as the wire counts them, without encoding anything; the limits of
 * section 14 are held against these.
 */
import proto from '@temporalio/proto';
import type { Failure, Memo, Payload, Payloads, SearchAttributes } from './proto.ts';

type PayloadMap = { readonly [key: string]: Payload } | null | undefined;

/** Temporal's message for a request that is too large; for a command see WT-20. */
export const blobSizeMessage = 'Blob data size exceeds limit.';

export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // A surrogate pair is 4 bytes in 2 units: 2 a unit, as are the two-byte letters.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

/** A length-delimited field with a one-byte tag. */
function fieldBytes(length: number): number {
  return 1 + varintBytes(length) + length;
}

function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

function payloadBytes(payload: Payload | null | undefined): number {
  if (!payload) return 0;
  let bytes = 0;
  if (payload.metadata) {
    for (const [key, value] of Object.entries(payload.metadata)) {
      bytes += fieldBytes(fieldBytes(utf8Bytes(key)) + fieldBytes(value.length));
    }
  }
  if (payload.data && payload.data.length > 0) bytes += fieldBytes(payload.data.length);
  return bytes;
}

export function payloadsBytes(payloads: Payloads | null | undefined): number {
  let bytes = 0;
  for (const payload of payloads?.payloads ?? []) bytes += fieldBytes(payloadBytes(payload));
  return bytes;
}

function payloadMapBytes(map: PayloadMap): number {
  let bytes = 0;
  for (const [key, value] of Object.entries(map ?? {})) {
    bytes += fieldBytes(fieldBytes(utf8Bytes(key)) + fieldBytes(payloadBytes(value)));
  }
  return bytes;
}

export function memoBytes(memo: Memo | null | undefined): number {
  return payloadMapBytes(memo?.fields);
}

export function searchAttributesBytes(attributes: SearchAttributes | null | undefined): number {
  return payloadMapBytes(attributes?.indexedFields);
}

/** What Temporal counts of an upsert: names and data, no metadata. */
export function payloadMapDataBytes(map: PayloadMap): number {
  let bytes = 0;
  for (const [key, value] of Object.entries(map ?? {}))
    bytes += utf8Bytes(key) + (value.data?.length ?? 0);
  return bytes;
}

/** Failures are rare and may nest: the encoder counts them. */
export function failureBytes(failure: Failure | null | undefined): number {
  return failure ? proto.temporal.api.failure.v1.Failure.encode(failure).finish().length : 0;
}
