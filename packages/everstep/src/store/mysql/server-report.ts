/** What a server says of itself, and whether it will do. */
import { StoreError } from '../store.ts';
import type { Ask } from './migrations.ts';

export interface ServerReport {
  /** `8.0.40`, `10.11.6`. */
  readonly version: string;
  readonly isMariaDb: boolean;
  readonly isolation: string;
  readonly isReadOnly: boolean;
  /** Several servers that can be written at the same time: `Galera`, `group replication`. */
  readonly primaries: string | undefined;
  readonly packetBytesMax: number;
  /** Whether what does not fit in a column is refused, and not cut. */
  readonly isStrict: boolean;
  /** Whether changes are logged as statements, which READ COMMITTED does not allow. */
  readonly logsStatements: boolean;
  /** Whether what is acknowledged survives the loss of power. */
  readonly isDurable: boolean;
}

export async function reportOnServer(ask: Ask): Promise<ServerReport> {
  const asked = [
    'version',
    'read_only',
    'super_read_only',
    'innodb_read_only',
    'tx_isolation',
    'transaction_isolation',
    'max_allowed_packet',
    'sql_mode',
    'log_bin',
    'binlog_format',
    'wsrep_on',
    'group_replication_single_primary_mode',
    'innodb_flush_log_at_trx_commit',
  ];
  const variables = mapOf(
    await ask(
      `SHOW VARIABLES WHERE Variable_name IN (${asked.map((name) => `'${name}'`).join(', ')})`,
    ),
  );
  const status = mapOf(await ask(`SHOW GLOBAL STATUS LIKE 'wsrep_cluster_size'`));
  const is = (name: string): boolean => /^(ON|1)$/i.test(variables.get(name) ?? '');
  const said = variables.get('version') ?? '';
  return {
    version: /^(?:5\.5\.5-)?([0-9.]+)/.exec(said)?.[1] ?? said,
    isMariaDb: /mariadb/i.test(said),
    isolation: variables.get('transaction_isolation') ?? variables.get('tx_isolation') ?? '',
    isReadOnly: is('read_only') || is('super_read_only') || is('innodb_read_only'),
    primaries:
      is('wsrep_on') && Number(status.get('wsrep_cluster_size')) > 1
        ? 'Galera'
        : variables.get('group_replication_single_primary_mode') === 'OFF'
          ? 'group replication'
          : undefined,
    packetBytesMax: Number(variables.get('max_allowed_packet')),
    isStrict: /STRICT_(TRANS|ALL)_TABLES/.test(variables.get('sql_mode') ?? ''),
    logsStatements: is('log_bin') && variables.get('binlog_format') === 'STATEMENT',
    isDurable: variables.get('innodb_flush_log_at_trx_commit') === '1',
  };
}

/** The first thing for which the store cannot work on it; undefined: it will do. */
export function problemOf(report: ServerReport): ServerProblem | undefined {
  const { version, isMariaDb, isReadOnly, primaries, isStrict, logsStatements } = report;
  const oldest = isMariaDb ? [10, 6] : [8, 0];
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < (oldest[0] ?? 0) || (major === oldest[0] && minor < (oldest[1] ?? 0))) {
    return {
      code: 'STORE_FAILED',
      says: `is ${isMariaDb ? 'MariaDB' : 'MySQL'} ${version}, and Everstep needs MySQL 8.0 or MariaDB 10.6, or newer`,
      fix: 'Update the server',
    };
  }
  if (isReadOnly) {
    return {
      code: 'STORE_NOT_WRITABLE',
      says: 'is read-only',
      fix: 'Name the primary, not a replica, and let read_only be off',
    };
  }
  if (primaries !== undefined) {
    return {
      code: 'STORE_NOT_WRITABLE',
      says: `is one of several servers that can be written (${primaries}), whose locks do not hold on the others`,
      fix: 'Name a database with one primary',
    };
  }
  if (logsStatements) {
    return {
      code: 'STORE_FAILED',
      says: 'logs statements',
      fix: 'Set binlog_format = ROW, which is the default',
    };
  }
  if (!isStrict) {
    return {
      code: 'STORE_FAILED',
      says: 'would cut what is too long for a column',
      fix: 'Let sql_mode of the connections have STRICT_TRANS_TABLES, which is the default',
    };
  }
  return undefined;
}

interface ServerProblem {
  readonly code: StoreError['code'];
  readonly says: string;
  readonly fix: string;
}

function mapOf(rows: readonly Readonly<Record<string, unknown>>[]): ReadonlyMap<string, string> {
  return new Map(
    rows.map((row) => [String(row['Variable_name']).toLowerCase(), String(row['Value'])]),
  );
}
