/**
 * What a URL of MySQL or MariaDB says. What it leaves out is taken from MYSQL_HOST, MYSQL_TCP_PORT, MYSQL_UNIX_PORT,
 * MYSQL_PWD and the login name, as the tools of both do.
 */
import { userInfo } from 'node:os';
import { countOf, defined, fileOf, invalidUrl, urlParts } from '../url-settings.ts';
import { defaultPrefix } from './migrations.ts';

const sslModes = ['DISABLED', 'PREFERRED', 'REQUIRED', 'VERIFY_CA', 'VERIFY_IDENTITY'] as const;
type SslMode = (typeof sslModes)[number];

export interface MysqlSettings {
  readonly host: string;
  readonly port: number;
  /** Path of a socket, used instead of host and port. */
  readonly socket?: string;
  readonly user: string;
  readonly password?: string;
  readonly database: string;
  readonly sslMode: SslMode;
  readonly sslCa?: string;
  readonly sslCert?: string;
  readonly sslKey?: string;
  /** With which the names of the tables begin. */
  readonly prefix: string;
  /** Connections of this process. */
  readonly connections: number;
  readonly connectTimeoutMs: number;
}

const known = [
  'prefix',
  'connections',
  'connect_timeout',
  'host',
  'port',
  'socket',
  'user',
  'password',
  'ssl-mode',
  'ssl-ca',
  'ssl-cert',
  'ssl-key',
];
const example = 'mysql://user:password@host:3306/database';

/** @throws StoreError STORE_URL_INVALID, without the password. */
export function settingsOf(
  url: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): MysqlSettings {
  const { host, port, user, password, database, option } = urlParts(url, {
    server: 'MySQL',
    example,
    known,
  });
  if (database === undefined) {
    throw invalidUrl(`The URL of the MySQL database names no database. Write '${example}'.`);
  }
  const sslMode = (option('ssl-mode') ?? 'DISABLED').toUpperCase() as SslMode;
  if (!sslModes.includes(sslMode)) {
    throw invalidUrl(`ssl-mode is '${sslMode}'; expected one of ${sslModes.join(', ')}.`);
  }
  return {
    ...defined({
      socket:
        option('socket') ??
        (host === undefined && env['MYSQL_HOST'] === undefined
          ? env['MYSQL_UNIX_PORT']
          : undefined),
      password: password ?? env['MYSQL_PWD'],
      sslCa: option('ssl-ca'),
      sslCert: option('ssl-cert'),
      sslKey: option('ssl-key'),
    }),
    host: host ?? env['MYSQL_HOST'] ?? 'localhost',
    port: countOf('port', port ?? env['MYSQL_TCP_PORT']) ?? 3_306,
    user: user ?? userInfo().username,
    database,
    sslMode,
    prefix: checkedPrefix(option('prefix') ?? defaultPrefix),
    connections: countOf('connections', option('connections')) ?? 8,
    connectTimeoutMs: (countOf('connect_timeout', option('connect_timeout')) ?? 10) * 1_000,
  };
}

/** @throws StoreError STORE_URL_INVALID. */
export function checkedPrefix(prefix: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,39}$/.test(prefix)) return prefix;
  throw invalidUrl(
    `The prefix is '${prefix}'; expected a letter or '_', then at most 39 letters, digits and '_'.`,
  );
}

/** What the package mysql2 is given. `withTls` false: for an ssl-mode that does without when the server has none. */
export function driverSettingsOf(settings: MysqlSettings, withTls = true): object {
  const { host, port, socket, user, password, database, sslMode } = settings;
  return {
    ...(socket === undefined ? { host, port } : { socketPath: socket }),
    ...defined({ user, password, database }),
    charset: 'utf8mb4',
    connectTimeout: settings.connectTimeoutMs,
    enableKeepAlive: true,
    multipleStatements: true,
    flags: ['FOUND_ROWS', '-LOCAL_FILES'],
    ...(sslMode !== 'DISABLED' && withTls ? { ssl: tlsOf(settings) } : {}),
  };
}

/** Whether a server without TLS will do. */
export function mayGoWithoutTls({ sslMode }: MysqlSettings): boolean {
  return sslMode === 'PREFERRED';
}

function tlsOf({ sslMode, sslCa, sslCert, sslKey }: MysqlSettings): object {
  const checks = sslMode.startsWith('VERIFY_');
  return {
    ...defined({
      ca: fileOf('ssl-ca', sslCa),
      cert: fileOf('ssl-cert', sslCert),
      key: fileOf('ssl-key', sslKey),
    }),
    rejectUnauthorized: checks,
    verifyIdentity: sslMode === 'VERIFY_IDENTITY',
  };
}
