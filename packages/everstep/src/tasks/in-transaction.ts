/** A submit or a start that is part of a transaction of the application (service/transaction.ts). */
import type { Client } from '@temporalio/client';
import { EverstepError } from '../service/error-codes.ts';
import { isJoining } from '../service/transaction.ts';
import { shown } from './duration.ts';
import { grpcCode, grpcCodeOf } from './task-client.ts';

/**
 * A connection inside a transaction of the application, on the component's own database: a `Client` of `pg`, with the
 * schema's tables in its database; a `Connection` of `mysql2` or `mysql2/promise` in the database of the tables; or a
 * `DatabaseSync` of `node:sqlite` or `@photostructure/sqlite` on the same file.
 */
export type TransactionHandle =
  | { query(...args: never[]): unknown }
  | { exec(sql: string): unknown; prepare(sql: string): unknown };

/** What is wrong with a `tx` that was given; undefined when it may be one. */
export function transactionProblem(tx: unknown): string | undefined {
  if (typeof tx === 'object' && tx !== null) return undefined;
  // Left out by mistake it would start what a rollback cannot take back.
  return `tx is ${shown(tx)}; expected a connection inside your transaction, or no field tx at all.`;
}

/**
 * Makes the calls of `run` part of that transaction.
 *
 * @throws EverstepError TRANSACTION_UNSUPPORTED, TRANSACTION_INVALID; and what `run` throws.
 */
export async function inTransaction<T>(
  client: Client,
  tx: unknown,
  run: () => Promise<T>,
): Promise<T> {
  const { connection } = client;
  if (!isJoining(connection)) {
    throw new EverstepError(
      'TRANSACTION_UNSUPPORTED',
      'tx was given, and this client speaks to a server, which shares no transaction with your database. Leave out tx and start after your commit (the same id may be started again), or use a store of your own: a SQLite file, PostgreSQL or MySQL.',
    );
  }
  try {
    return await connection.withTransaction(tx, run);
  } catch (cause) {
    throw refusedTransaction(cause) ?? cause;
  }
}

function refusedTransaction(cause: unknown): EverstepError | undefined {
  for (let at: unknown = cause, depth = 0; at instanceof Error && depth < 6; depth += 1) {
    if ((at as { code?: unknown }).code === 'STORE_TRANSACTION_INVALID') {
      return new EverstepError('TRANSACTION_INVALID', at.message, { cause });
    }
    at = at.cause;
  }
  if (grpcCodeOf(cause) !== grpcCode.unimplemented) return undefined;
  const { details } = innermostGrpc(cause);
  return new EverstepError('TRANSACTION_UNSUPPORTED', `tx was given. ${details}`, { cause });
}

function innermostGrpc(cause: unknown): { readonly details: string } {
  for (let at: unknown = cause, depth = 0; at instanceof Error && depth < 6; depth += 1) {
    if ('details' in at && typeof at.details === 'string') return { details: at.details };
    at = at.cause;
  }
  return { details: String(cause) };
}
