/**
 * The one seam to `pg`: the part of it that the store uses, so that an application may hand over a pool of its own.
 * The package is an optional peer, loaded when a URL asks for it.
 */
import { StoreError } from '../store.ts';

/** A server that does not answer for that long is gone. */
export const answerMsMax = 30_000;

export type SqlValue =
  null | number | string | boolean | Uint8Array | readonly (number | string | boolean | null)[];
export type SqlRow = Record<string, unknown>;

interface TypeParsers {
  getTypeParser(oid: number, format?: string): (value: string) => unknown;
}

export interface PostgresQuery {
  readonly text: string;
  readonly values?: readonly SqlValue[];
  readonly types?: TypeParsers;
  readonly query_timeout?: number;
}

export interface PostgresResult {
  readonly rows: readonly SqlRow[];
  readonly rowCount: number | null;
}

interface Queries {
  query(query: PostgresQuery): Promise<PostgresResult>;
}

/** A client that was taken from a pool. */
export interface PooledClient extends Queries {
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
  release(destroy?: boolean): void;
}

/** A connection that is nobody else's. */
export interface PostgresClient extends Queries {
  connect(): Promise<unknown>;
  end(): Promise<void>;
  on(event: 'error' | 'end', listener: (error?: Error) => void): unknown;
  on(
    event: 'notification',
    listener: (message: { readonly channel: string; readonly payload?: string }) => void,
  ): unknown;
}

/** A pool of the package `pg`, or one that behaves as such. */
export interface PostgresPool {
  connect(callback: (error: Error | undefined, client: unknown) => void): void;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
}

export interface PostgresDriver {
  readonly Pool: new (settings: object) => PostgresPool;
  readonly Client: new (settings: object) => PostgresClient;
}

/**
 * A client of the pool. What is lost while nobody listens to it takes the process with it, and a server may end a
 * connection in the very packet that opens it: so it is listened to from the moment it is had, and by a callback,
 * which is called in that moment.
 */
export function clientOf(pool: PostgresPool): Promise<PooledClient> {
  return new Promise((resolve, reject) => {
    pool.connect((error, given) => {
      const client = given as PooledClient | undefined;
      if (client === undefined) {
        reject(error ?? new TypeError('The pool gave no client.'));
        return;
      }
      client.on('error', ignore);
      resolve(client);
    });
  });
}

/** Gives it back; what becomes of it then is the pool's. */
export function giveBack(client: PooledClient, isBroken: boolean): void {
  client.off('error', ignore);
  client.release(isBroken);
}

/** The query that is under way tells of the loss. */
function ignore(): void {}

export async function loadDriver(description: string): Promise<PostgresDriver> {
  try {
    const { default: pg } = await import('pg');
    return pg as unknown as PostgresDriver;
  } catch (cause) {
    throw new StoreError(
      'STORE_DRIVER_MISSING',
      `The ${description} cannot be opened: the package pg could not be loaded. Install it (npm install pg).`,
      { cause },
    );
  }
}

/** Numbers and bytes as the store wants them, whatever parsers the application has set for itself. */
export const types: TypeParsers = {
  getTypeParser: (oid) => {
    switch (oid) {
      case 16:
        return (value) => value === 't';
      case 17:
        return bytesOf;
      case 20:
      case 21:
      case 23:
      case 700:
      case 701:
        return Number;
      case 1016:
        return numbersOf;
      default:
        return (value) => value;
    }
  },
};

/** `\\x0aff`. */
function bytesOf(text: string): Uint8Array {
  const { buffer, byteOffset, length } = Buffer.from(text.slice(2), 'hex');
  return new Uint8Array(buffer, byteOffset, length);
}

/** `{1,2}`; refs stay below 2^53. */
function numbersOf(text: string): readonly number[] {
  return text === '{}' ? [] : text.slice(1, -1).split(',').map(Number);
}
