/**
 * Large replies are packed with gzip for callers who accept it. `@grpc/grpc-js` unpacks requests, but packs no reply
 * and keeps from its handlers what a caller accepts. So the header is passed on under a name of ours, and the mark of
 * a packed message is set where its frame is written, on Node's stream.
 */
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { Metadata, type Server, type ServerUnaryCall } from '@grpc/grpc-js';
import { hidePacking } from './packed-request.ts';

/** Below it packing costs both sides more than the bytes do. */
const packedBytesMin = 8 * 1024;
const acceptHeader = 'everstep-reply-packing';
const encodingHeader = 'grpc-encoding';
const pack = promisify(gzip);

/** To be called once the server listens, before its first call. */
export function watchPacking(server: Server): void {
  // Not in its types: its HTTP/2 servers. Were they to go, replies would be sent as they are.
  const { http2Servers } = server as unknown as {
    readonly http2Servers?: ReadonlyMap<Http2Server, unknown>;
  };
  for (const http2Server of http2Servers?.keys() ?? []) {
    http2Server.prependListener('stream', watchStream);
  }
}

function watchStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  hidePacking(headers);
  const accepted = String(headers['grpc-accept-encoding'] ?? '').split(/\s*,\s*/);
  delete headers[acceptHeader];
  if (!accepted.includes('gzip')) return;
  headers[acceptHeader] = 'gzip';
  const write = stream.write.bind(stream) as (frame: Buffer, done: () => void) => boolean;
  // A unary reply is one message, and its frame one write.
  stream.write = (frame: Buffer, done: unknown) => {
    if (String(stream.sentHeaders?.[encodingHeader]) === 'gzip') frame.writeUInt8(1, 0);
    return write(frame, done as () => void);
  };
}

/** The bytes to send; where they are packed, the caller has been told so. */
export async function packedReply(
  call: ServerUnaryCall<Buffer, Buffer>,
  reply: Buffer,
): Promise<Buffer> {
  const [accepted] = call.metadata.get(acceptHeader);
  if (accepted !== 'gzip' || reply.length < packedBytesMin) return reply;
  const packed = await pack(reply, { level: constants.Z_BEST_SPEED });
  if (packed.length >= reply.length) return reply;
  const metadata = new Metadata();
  metadata.set(encodingHeader, 'gzip');
  call.sendMetadata(metadata);
  return packed;
}
