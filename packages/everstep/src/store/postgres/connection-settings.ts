/**
 * What a URL of PostgreSQL says. What it leaves out is taken from PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE and
 * PGSSLMODE, as every tool of PostgreSQL does.
 */
import { readFileSync } from 'node:fs';
import { StoreError } from '../store.ts';

const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
type SslMode = (typeof sslModes)[number];

export interface PostgresSettings {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly applicationName?: string;
  readonly sslMode: SslMode;
  readonly sslRootCert?: string;
  readonly sslCert?: string;
  readonly sslKey?: string;
  readonly schema: string;
  /** Connections of this process, without the one that listens. */
  readonly connections: number;
  readonly connectTimeoutMs: number;
}

export const defaultSchema = 'everstep';

const known = [
  'schema',
  'connections',
  'connect_timeout',
  'application_name',
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
];

/** @throws StoreError STORE_URL_INVALID, without the password. */
export function settingsOf(
  url: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): PostgresSettings {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    throw invalid(
      `The URL of the PostgreSQL database cannot be read. Write 'postgres://user:password@host:5432/database', with what is special in the password percent-encoded (such as %40 for @).`,
      cause,
    );
  }
  const option = (name: string): string | undefined => parsed.searchParams.get(name) ?? undefined;
  for (const name of parsed.searchParams.keys()) {
    if (!known.includes(name)) {
      throw invalid(
        `The URL of the PostgreSQL database has the option '${name}', which is not understood. Known are ${known.join(', ')}.`,
      );
    }
  }
  const host = decoded(parsed.hostname).replace(/^\[(.*)\]$/, '$1') || option('host');
  if (host?.includes(',')) {
    throw invalid(`The URL of the PostgreSQL database names several hosts ('${host}'). Name one.`);
  }
  const sslMode = (option('sslmode') ?? env['PGSSLMODE'] ?? 'disable') as SslMode;
  if (!sslModes.includes(sslMode)) {
    throw invalid(`sslmode is '${sslMode}'; expected one of ${sslModes.join(', ')}.`);
  }
  return {
    ...defined({
      host,
      port: countOf('port', parsed.port || option('port')),
      user: decoded(parsed.username) || option('user'),
      password: decoded(parsed.password) || option('password'),
      database: decoded(parsed.pathname.slice(1)) || option('dbname'),
      applicationName: option('application_name'),
      sslRootCert: option('sslrootcert') ?? env['PGSSLROOTCERT'],
      sslCert: option('sslcert') ?? env['PGSSLCERT'],
      sslKey: option('sslkey') ?? env['PGSSLKEY'],
    }),
    sslMode,
    schema: checkedSchema(option('schema') ?? defaultSchema),
    connections: countOf('connections', option('connections')) ?? 8,
    connectTimeoutMs: (countOf('connect_timeout', option('connect_timeout')) ?? 10) * 1_000,
  };
}

/** @throws StoreError STORE_URL_INVALID. */
export function checkedSchema(schema: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_$-]{0,50}$/.test(schema) && !/^pg_/i.test(schema)) return schema;
  throw invalid(
    `The schema is '${schema}'; expected a letter, then at most 50 letters, digits, '_', '-' or '$', and not pg_….`,
  );
}

/** What the package pg is given. `withTls` false: for an sslmode that does without when the server has none. */
export function driverSettingsOf(settings: PostgresSettings, withTls = true): object {
  const { host, port, user, password, database, sslMode } = settings;
  return {
    ...defined({ host, port, user, password, database }),
    application_name: settings.applicationName ?? process.env['PGAPPNAME'] ?? 'everstep',
    connectionTimeoutMillis: settings.connectTimeoutMs,
    keepAlive: true,
    // What a commit finds must not depend on what the database has as its default.
    options: `-c default_transaction_isolation=read\\ committed -c client_min_messages=warning`,
    ssl: sslMode !== 'disable' && withTls ? tlsOf(settings) : false,
  };
}

/** Whether a server without TLS will do. */
export function mayGoWithoutTls({ sslMode }: PostgresSettings): boolean {
  return sslMode === 'allow' || sslMode === 'prefer';
}

function tlsOf({ sslMode, sslRootCert, sslCert, sslKey }: PostgresSettings): object {
  const files = defined({
    ca: fileOf('sslrootcert', sslRootCert),
    cert: fileOf('sslcert', sslCert),
    key: fileOf('sslkey', sslKey),
  });
  // As libpq has it: `require` checks the certificate where it is told who signs it.
  const checks = sslMode.startsWith('verify-') || (sslMode === 'require' && files.ca !== undefined);
  if (!checks) return { ...files, rejectUnauthorized: false };
  if (sslMode === 'verify-full') return files;
  return { ...files, checkServerIdentity: () => undefined };
}

function fileOf(name: string, path: string | undefined): string | undefined {
  if (path === undefined || path === 'system') return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw invalid(`The file '${path}' of ${name} cannot be read.`, cause);
  }
}

function countOf(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^[1-9][0-9]{0,4}$/.test(value)) return Number(value);
  throw invalid(`${name} is '${value}'; expected a whole number from 1.`);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw invalid(
      `The URL of the PostgreSQL database has a '%' that is not followed by two hexadecimal digits. Write %25 for it.`,
      cause,
    );
  }
}

function defined<T extends Record<string, unknown>>(
  values: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as never;
}

function invalid(message: string, cause?: unknown): StoreError {
  return new StoreError('STORE_URL_INVALID', message, { cause });
}
