/** What a payload counts against the limit of 2 MiB. */
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';

const nearLimit = 1024 * 1024;
const overLimit = 2 * nearLimit;

/** Its data; near the limit as the service counts it, with what the encoding's name takes. */
export function payloadBytes(payload: Payload): number {
  const bytes = payload.data?.length ?? 0;
  if (bytes < nearLimit || bytes > overLimit) return bytes;
  return proto.temporal.api.common.v1.Payloads.encode({ payloads: [payload] }).finish().length;
}
