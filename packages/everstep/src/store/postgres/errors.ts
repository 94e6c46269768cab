/** Every error of the driver and of the server as a StoreError that says what to do. */
import { StoreError } from '../store.ts';

/** Raised by commit_1. */
export const conflictState = 'EV001';
export const fenceGoneState = 'EV002';

/** The five characters with which the server says what went wrong, when it was the server. */
export function sqlStateOf(cause: unknown): string | undefined {
  const { code, severity } = (cause ?? {}) as { code?: unknown; severity?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && typeof severity === 'string'
    ? code
    : undefined;
}

/**
 * Whether the server has answered and the connection lives: then a transaction that failed was undone. Of anything
 * else it is not known what became of it.
 */
export function isAnswer(cause: unknown): boolean {
  return sqlStateOf(cause) !== undefined && (cause as { severity: string }).severity === 'ERROR';
}

/** Undone by the server because of others; the same again may succeed. */
export function isPassing(cause: unknown): boolean {
  return ['40001', '40P01', '55P03'].includes(sqlStateOf(cause) ?? '');
}

export function storeErrorOf(cause: unknown, description: string): StoreError {
  if (cause instanceof StoreError) return cause;
  const said = saidBy(cause);
  const options = { cause };
  const state = sqlStateOf(cause);
  if (state === undefined) {
    const hint = /SSL|certificate|self[- ]signed|altnames/i.test(said)
      ? 'Choose the sslmode that the server serves (disable, require, verify-ca, verify-full), with sslrootcert= for a certificate of your own'
      : 'Look whether it runs and can be reached from here; what was under way is tried again when it answers';
    return isOfTheNetwork(cause)
      ? new StoreError(
          'STORE_UNREACHABLE',
          `The ${description} cannot be reached (${said}). ${hint}.`,
          options,
        )
      : new StoreError('STORE_FAILED', `The ${description} failed: ${said}.`, options);
  }
  switch (state) {
    case '28000':
    case '28P01':
      return new StoreError(
        'STORE_ACCESS_DENIED',
        `The ${description} refuses the login (${said}). Check the user and the password in the URL or in PGUSER and PGPASSWORD, and pg_hba.conf of the server.`,
        options,
      );
    case '3D000':
      return new StoreError(
        'STORE_ACCESS_DENIED',
        `The ${description} does not exist (${said}). Create it (createdb), or name another one.`,
        options,
      );
    case '42501':
      return new StoreError(
        'STORE_ACCESS_DENIED',
        `The ${description} refuses what Everstep needs (${said}). Its user needs USAGE on the schema, SELECT, INSERT, UPDATE and DELETE on its tables, USAGE on its sequences and EXECUTE on its functions; to make them it needs CREATE on the database, or an administrator runs what 'everstep migrate --print' prints.`,
        options,
      );
    case '25006':
      return new StoreError(
        'STORE_NOT_WRITABLE',
        `The ${description} is read-only (${said}). Name the primary, not a replica, and let default_transaction_read_only be off.`,
        options,
      );
    case '53100':
      return new StoreError(
        'STORE_DISK_FULL',
        `There is no room left for the ${description} (${said}). Nothing was damaged and this write was not made; free some disk space and it works again.`,
        options,
      );
    case '53300':
      return new StoreError(
        'STORE_BUSY',
        `The ${description} takes no more connections (${said}). Raise max_connections, or let processes take fewer with ?connections= in the URL.`,
        options,
      );
    case '40001':
    case '40P01':
    case '55P03':
    case '57014':
      return new StoreError(
        'STORE_BUSY',
        `The ${description} undid a write because of others (${said}). Nothing was written; try again.`,
        options,
      );
    default:
      return /^(08|57P)/.test(state)
        ? new StoreError(
            'STORE_UNREACHABLE',
            `The ${description} broke off (${said}). What was under way is tried again when it answers.`,
            options,
          )
        : new StoreError('STORE_FAILED', `The ${description} failed: ${said} (${state}).`, options);
  }
}

function saidBy(cause: unknown): string {
  // Node tries several addresses, and says of each what was wrong.
  const { errors } = (cause ?? {}) as { errors?: unknown };
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const error = first instanceof Error ? first : cause;
  return (error instanceof Error ? error.message : String(error)).replace(/[.\s]+$/, '');
}

function isOfTheNetwork(cause: unknown): boolean {
  const { code } = (cause ?? {}) as { code?: unknown };
  return (
    (typeof code === 'string' && /^(E[A-Z]+|[A-Z_]*CERT[A-Z_]*|UNABLE_TO_[A-Z_]+)$/.test(code)) ||
    /timeout|terminated|Connection|SSL|closed|not queryable/i.test(saidBy(cause))
  );
}
