/**
 * What a URL of PostgreSQL says. What it leaves out is taken from PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE and
 * PGSSLMODE, as every tool of PostgreSQL does.
 */
import { countOf, defined, fileOf, invalidUrl, urlParts } from '../url-settings.ts';

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
  const { host, port, user, password, database, option } = urlParts(url, {
    server: 'PostgreSQL',
    example: 'postgres://user:password@host:5432/database',
    known,
  });
  const sslMode = (option('sslmode') ?? env['PGSSLMODE'] ?? 'disable') as SslMode;
  if (!sslModes.includes(sslMode)) {
    throw invalidUrl(`sslmode is '${sslMode}'; expected one of ${sslModes.join(', ')}.`);
  }
  return {
    ...defined({
      host,
      port: countOf('port', port),
      user,
      password,
      database: database ?? option('dbname'),
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
  throw invalidUrl(
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
