import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { Metadata } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { hidePacking, unpackedRequest } from './packed-request.ts';

const bytesMax = 1_000_000;
const small = Buffer.from('\n\u0007default');
/** Too large, packed, to be unpacked at once. */
const large = randomBytes(100_000);

/** As the transport sees the headers, and as a call sees its metadata. */
function received(headers: IncomingHttpHeaders) {
  hidePacking(headers);
  return { headers, metadata: Metadata.fromHttp2Headers(headers) };
}

async function unpacked(message: Buffer, max = bytesMax): Promise<Buffer> {
  return unpackedRequest(received({ 'grpc-encoding': 'gzip' }).metadata, message, max);
}

it('unpacks what is packed, however large, and leaves the rest as it is', async () => {
  expect(await unpacked(gzipSync(small))).toEqual(small);
  expect(await unpacked(gzipSync(Buffer.alloc(0)))).toEqual(Buffer.alloc(0));
  expect(await unpacked(gzipSync(large))).toEqual(large);
  expect(await unpacked(Buffer.concat([gzipSync(large), gzipSync(small)]))).toEqual(
    Buffer.concat([large, small]),
  );
  expect(await unpacked(small)).toBe(small);
});

it('keeps the packing from the transport, and takes no word for it but the encoding', () => {
  const { headers, metadata } = received({ 'grpc-encoding': 'gzip' });
  expect(headers).not.toHaveProperty('grpc-encoding');
  expect(unpackedRequest(metadata, gzipSync(small), bytesMax)).toEqual(small);
  const packed = gzipSync(small);
  const said = received({ 'everstep-request-packing': 'gzip' });
  expect(unpackedRequest(said.metadata, packed, bytesMax)).toBe(packed);
  // Other encodings stay with the transport.
  expect(received({ 'grpc-encoding': 'deflate' }).headers['grpc-encoding']).toBe('deflate');
});

it('refuses what is larger when it is unpacked, whatever it says of its size', async () => {
  const bomb = gzipSync(Buffer.alloc(20_000_000));
  for (const size of [0, 10, 0xffff_ffff]) {
    bomb.writeUInt32LE(size, bomb.length - 4);
    await expect(unpacked(bomb)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  }
  await expect(unpacked(gzipSync(large), 99_999)).rejects.toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
  });
  await expect(unpacked(gzipSync(small), small.length)).resolves.toEqual(small);
  await expect(unpacked(gzipSync(small), small.length - 1)).rejects.toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
  });
});

it('refuses what is broken', async () => {
  for (const whole of [gzipSync(small), gzipSync(large)]) {
    for (const broken of [whole.subarray(0, 3), whole.subarray(0, whole.length - 9)]) {
      await expect(unpacked(broken)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  }
});
