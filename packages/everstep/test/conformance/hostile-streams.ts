/** What goes wrong below the messages: streams that end midway, frames that lie, headers that make no sense. */
import { gzipSync } from 'node:zlib';
import { connect, constants, type ClientHttp2Session } from 'node:http2';

export const streamKinds = [
  'reset midway',
  'frame cut short',
  'frame of 4 GB',
  'packed without a word',
  'packed rubbish',
  'packed bomb',
  'two messages',
  'no message',
  'odd timeout',
  'odd content type',
  'odd metadata',
  'unknown path',
] as const;
export type StreamKind = (typeof streamKinds)[number];

export interface StreamEnd {
  /** The gRPC status, or `http 415` where it came without one; undefined: the stream ended without. */
  readonly status: string | undefined;
  readonly message: string;
}

export class HostileStreams {
  readonly #address: string;
  #session: ClientHttp2Session | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  close(): void {
    this.#session?.destroy();
  }

  /** Resolves when the stream has ended; undefined for one that was reset by us, which has no answer. */
  send(kind: StreamKind, path: string): Promise<StreamEnd | undefined> {
    const stream = this.#connected().request({
      ':method': 'POST',
      ':path': kind === 'unknown path' ? `${path}X` : path,
      'content-type': kind === 'odd content type' ? 'text/plain' : 'application/grpc',
      te: 'trailers',
      ...(kind.startsWith('packed') && kind !== 'packed without a word'
        ? { 'grpc-encoding': 'gzip' }
        : {}),
      ...(kind === 'odd timeout' ? { 'grpc-timeout': '-5 years' } : {}),
      ...(kind === 'odd metadata' ? { 'odd-bin': '%%%', authorization: 'Bearer \u00ff' } : {}),
    });
    const body = bodyOf(kind);
    return new Promise((resolve) => {
      const said: Record<string, number | string | string[] | undefined> = {};
      stream.on('response', (headers) => Object.assign(said, headers));
      stream.on('trailers', (trailers) => Object.assign(said, trailers));
      stream.on('error', () => undefined);
      stream.on('close', () => {
        if (kind === 'reset midway') return resolve(undefined);
        const { ':status': http, 'grpc-status': status } = said;
        const plain = http === undefined || http === 200 ? undefined : `http ${http.toString()}`;
        resolve({
          status: typeof status === 'string' ? status : plain,
          message: (said['grpc-message'] ?? '').toString(),
        });
      });
      stream.resume();
      if (kind === 'reset midway') {
        stream.write(body);
        setImmediate(() => stream.close(constants.NGHTTP2_CANCEL));
      } else {
        stream.end(body);
      }
    });
  }

  #connected(): ClientHttp2Session {
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    // Node's client counts what a stream had not sent when it was reset as in use for ever, and refuses all answers at
    // 10 MB, its default.
    this.#session = connect(`http://${this.#address}`, { maxSessionMemory: 1_000 });
    // A server may give up a connection that talks nonsense; the next stream has another.
    this.#session.on('error', () => undefined);
    return this.#session;
  }
}

function bodyOf(kind: StreamKind): Buffer {
  switch (kind) {
    case 'reset midway':
      return frame(Buffer.alloc(100_000), { length: 4_000_000 });
    case 'frame cut short':
      return frame(Buffer.alloc(10), { length: 1_000 });
    case 'frame of 4 GB':
      return frame(Buffer.alloc(10), { length: 2 ** 32 - 1 });
    case 'packed without a word':
      return frame(gzipSync(Buffer.alloc(0)), { packed: true });
    case 'packed rubbish':
      return frame(Buffer.from('this was never packed'), { packed: true });
    case 'packed bomb':
      return frame(bomb, { packed: true });
    case 'two messages':
      return Buffer.concat([frame(Buffer.alloc(0)), frame(Buffer.alloc(0))]);
    case 'no message':
      return Buffer.alloc(0);
    default:
      return frame(Buffer.alloc(0));
  }
}

/** Nothing, 50 MB of it; made before anybody waits for an answer. */
const bomb = gzipSync(Buffer.alloc(50_000_000));

function frame(
  message: Buffer,
  { length = message.length, packed = false }: { length?: number; packed?: boolean } = {},
): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(packed ? 1 : 0, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}
