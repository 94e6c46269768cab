import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { isSignedBy, webhookSignature } from './webhook-signature.ts';

const body = '{"id":"job-1","state":"done"}';

it('accepts the signature in hex and in base64, with the prefix and without', () => {
  const hmac = createHmac('sha256', 's3cret').update(body).digest();
  for (const signature of [
    webhookSignature('s3cret', body),
    hmac.toString('hex'),
    hmac.toString('base64'),
    `sha256=${hmac.toString('base64')}`,
    `SHA256=${hmac.toString('hex').toUpperCase()}`,
  ]) {
    expect(isSignedBy('s3cret', body, signature)).toBe(true);
  }
});

it('refuses another body, another secret and what is no signature', () => {
  const signature = webhookSignature('s3cret', body);
  expect(isSignedBy('s3cret', `${body} `, signature)).toBe(false);
  expect(isSignedBy('other', body, signature)).toBe(false);
  for (const bad of [undefined, null, '', 'sha256=', 'zzzz', signature.slice(0, -1)]) {
    expect(isSignedBy('s3cret', body, bad)).toBe(false);
  }
});
