/** Every error of the driver and of the server as a StoreError that says what to do. */
import { StoreError } from '../store.ts';

/** The number with which the server says what went wrong, when it was the server. */
export function errorNumberOf(cause: unknown): number | undefined {
  const { errno, sqlState } = (cause ?? {}) as { errno?: unknown; sqlState?: unknown };
  return typeof errno === 'number' && errno >= 1_000 && typeof sqlState === 'string'
    ? errno
    : undefined;
}

/** Said when the server or the connection is about to end: it may have written what it was asked to. */
const endings = new Set([1053, 1077, 1079, 1080, 1152, 1184, 1180, 1317, 1927, 3032, 3169, 4031]);

/**
 * Whether the server has answered and the connection lives: then what failed was not written, once the transaction is
 * rolled back. Of anything else it is not known what became of it.
 */
export function isAnswer(cause: unknown): boolean {
  const number = errorNumberOf(cause);
  return (
    number !== undefined && !endings.has(number) && (cause as { fatal?: unknown }).fatal !== true
  );
}

/** A row that must be the only one is there already. */
export const duplicate = 1062;
export const noSuchTable = 1146;

/** Deadlock, lock wait timeout, changed since it was read: the same again may succeed. */
const passing = new Set([1020, 1205, 1213]);

export function isPassing(cause: unknown): boolean {
  return passing.has(errorNumberOf(cause) ?? 0);
}

export function isAccessDenied(cause: unknown): boolean {
  return [1044, 1142, 1143].includes(errorNumberOf(cause) ?? 0);
}

const neededRights = 'SELECT, INSERT, UPDATE and DELETE on its tables';

export function storeErrorOf(cause: unknown, description: string): StoreError {
  if (cause instanceof StoreError) return cause;
  const said = saidBy(cause);
  const number = errorNumberOf(cause);
  const error = (code: StoreError['code'], message: string): StoreError =>
    new StoreError(code, message, { cause });
  if (number === undefined) return withoutAnswer(cause, said, description);
  switch (number) {
    case 1045:
    case 1130:
    case 1251:
    case 1698:
    case 1862:
      return error(
        'STORE_ACCESS_DENIED',
        `The ${description} refuses the login (${said}). Check the user and the password in the URL or in MYSQL_PWD, and from which hosts the user may come.`,
      );
    case 1049:
      return error(
        'STORE_ACCESS_DENIED',
        `The ${description} does not exist (${said}). Create it (CREATE DATABASE … CHARACTER SET utf8mb4), or name another one.`,
      );
    case 1044:
    case 1142:
    case 1143:
    case 1227:
      return error(
        'STORE_ACCESS_DENIED',
        `The ${description} refuses what Everstep needs (${said}). Its user needs ${neededRights}; to make them it needs CREATE on the database, or an administrator runs what 'everstep migrate --print' prints.`,
      );
    case 1290:
    case 1792:
    case 1836:
      return error(
        'STORE_NOT_WRITABLE',
        `The ${description} is read-only (${said}). Name the primary, not a replica, and let read_only be off.`,
      );
    case 1021:
    case 1114:
    case 3675:
      return error(
        'STORE_DISK_FULL',
        `There is no room left for the ${description} (${said}). Nothing was damaged and this write was not made; free some disk space and it works again.`,
      );
    case 1040:
    case 1203:
    case 1226:
      return error(
        'STORE_BUSY',
        `The ${description} takes no more connections (${said}). Raise max_connections, or let processes take fewer with ?connections= in the URL.`,
      );
    case 1020:
    case 1205:
    case 1213:
    case 3024:
      return error(
        'STORE_BUSY',
        `The ${description} undid a write because of others (${said}). Nothing was written; try again.`,
      );
    case 1153:
    case 1301:
      return error(
        'STORE_FAILED',
        `The ${description} does not take a write of that size (${said}). Nothing was written. Raise max_allowed_packet of the server, or keep large values elsewhere and pass their address.`,
      );
    case 1665:
      return error(
        'STORE_FAILED',
        `The ${description} logs statements (${said}). Set binlog_format = ROW, which is the default.`,
      );
    default:
      return endings.has(number)
        ? error(
            'STORE_UNREACHABLE',
            `The ${description} broke off (${said}). What was under way is tried again when it answers.`,
          )
        : error('STORE_FAILED', `The ${description} failed: ${said} (${number}).`);
  }
}

function withoutAnswer(cause: unknown, said: string, description: string): StoreError {
  const { code } = (cause ?? {}) as { code?: unknown };
  const isOfTheNetwork =
    (typeof code === 'string' &&
      /^(E[A-Z]+|PROTOCOL_[A-Z_]+|HANDSHAKE_[A-Z_]+|[A-Z_]*CERT[A-Z_]*|UNABLE_TO_[A-Z_]+)$/.test(
        code,
      )) ||
    /timeout|closed state|Connection|SSL|socket|disconnected/i.test(said);
  if (!isOfTheNetwork) {
    return new StoreError('STORE_FAILED', `The ${description} failed: ${said}.`, { cause });
  }
  const hint = /SSL|TLS|certificate|self[- ]signed|altnames/i.test(`${said} ${String(code)}`)
    ? 'Choose the ssl-mode that the server serves (DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY), with ssl-ca= for a certificate of your own'
    : 'Look whether it runs and can be reached from here; what was under way is tried again when it answers';
  return new StoreError(
    'STORE_UNREACHABLE',
    `The ${description} cannot be reached (${said}). ${hint}.`,
    { cause },
  );
}

function saidBy(cause: unknown): string {
  // Node tries several addresses, and says of each what was wrong.
  const { errors } = (cause ?? {}) as { errors?: unknown };
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const error = first instanceof Error ? first : cause;
  const { code, sqlMessage } = (cause ?? {}) as { code?: unknown; sqlMessage?: unknown };
  const text =
    typeof sqlMessage === 'string' && sqlMessage !== ''
      ? sqlMessage
      : error instanceof Error
        ? error.message
        : String(error);
  return (text || String(code)).replace(/[.\s]+$/, '');
}
