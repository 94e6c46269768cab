/**
 * Requests packed with gzip, as official workers send all of theirs. `@grpc/grpc-js` unpacks each through streams and
 * the thread pool, which took a third of a server's time. So it is told that nothing is packed, what came is passed on
 * under a header of ours, and a message is unpacked here in one go.
 */
import type { IncomingHttpHeaders } from 'node:http2';
import { promisify } from 'node:util';
import { gunzip, gunzipSync, type ZlibOptions } from 'node:zlib';
import type { Metadata } from '@grpc/grpc-js';
import { ServiceError } from '../service/service-error.ts';

const packingHeader = 'everstep-request-packing';
const encodingHeader = 'grpc-encoding';
/** Packed bytes above which the event loop is not kept waiting. */
const atOnceMax = 16 * 1024;
const bufferBytesMin = 64;
const bufferBytesMax = 64 * 1024;
const unpackLater = promisify<Buffer, ZlibOptions, Buffer>(gunzip);

/** To be called before the transport sees the headers. */
export function hidePacking(headers: IncomingHttpHeaders): void {
  delete headers[packingHeader];
  if (headers[encodingHeader] !== 'gzip') return;
  delete headers[encodingHeader];
  headers[packingHeader] = 'gzip';
}

/**
 * The message's own bytes, now or later.
 *
 * @throws ServiceError INVALID_ARGUMENT, RESOURCE_EXHAUSTED for one that is larger than `bytesMax` then.
 */
export function unpackedRequest(
  metadata: Metadata,
  message: Buffer,
  bytesMax: number,
): Buffer | Promise<Buffer> {
  const [packing] = metadata.get(packingHeader);
  if (packing !== 'gzip' || !isPacked(message)) return message;
  // Its last four bytes say how many it comes to, so that one buffer of that size will do.
  const told = message.length > 4 ? message.readUInt32LE(message.length - 4) : 0;
  const chunkSize = Math.min(Math.max(told + 1, bufferBytesMin), bufferBytesMax);
  const options = { chunkSize, maxOutputLength: bytesMax };
  if (message.length > atOnceMax) {
    return unpackLater(message, options).catch((error: unknown) => {
      throw refusal(error, bytesMax);
    });
  }
  try {
    return gunzipSync(message, options);
  } catch (error) {
    throw refusal(error, bytesMax);
  }
}

/** A sender may leave a message as it is. None begins like this: it would be a field of a type that there is not. */
function isPacked(message: Buffer): boolean {
  return message[0] === 0x1f && message[1] === 0x8b;
}

function refusal(cause: unknown, bytesMax: number): ServiceError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ERR_BUFFER_TOO_LARGE') {
    return new ServiceError(
      {
        code: 'RESOURCE_EXHAUSTED',
        message: `The request is larger than ${bytesMax} bytes when it is unpacked.`,
      },
      { cause },
    );
  }
  return new ServiceError(
    { code: 'INVALID_ARGUMENT', message: `The request cannot be unpacked with gzip: ${message}.` },
    { cause },
  );
}
