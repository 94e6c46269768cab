/**
 * HMAC-SHA256 over the raw body, as providers send it: hex or base64, with or without a `sha256=` in front. The
 * body is signed as bytes: parsing and writing it again would change it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export function webhookSignature(secret: string, rawBody: string | Uint8Array): string {
  return `sha256=${createHmac('sha256', secret).update(rawBody).digest('hex')}`;
}

/** Takes the same time whether it is nearly right or all wrong. */
export function isSignedBy(
  secret: string,
  rawBody: string | Uint8Array,
  signature: string | null | undefined,
): boolean {
  if (typeof signature !== 'string') return false;
  const text = signature.trim().replace(/^sha256=/i, '');
  const given = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? 'hex' : 'base64');
  const expected = createHmac('sha256', secret).update(rawBody).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}
