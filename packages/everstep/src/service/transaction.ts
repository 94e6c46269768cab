/**
 * The other extension beyond the public contract, local to the process as well (decision 20): a call that is part of a
 * transaction of the application. It is decided from what that transaction sees, and what it changes is there exactly
 * if that transaction commits. Of the calls only a start and a read of its history can be (engine/joined-calls.ts).
 */
import type { ConnectionLike } from '@temporalio/client';

/** A connection of the official client to an engine in this process. */
export interface JoiningConnection extends ConnectionLike {
  /** Makes the calls of `run` part of that transaction; which kinds there are is for the store to say. */
  withTransaction<R>(transaction: unknown, run: () => Promise<R>): Promise<R>;
}

export function isJoining(connection: ConnectionLike): connection is JoiningConnection {
  return typeof (connection as Partial<JoiningConnection>).withTransaction === 'function';
}
