/** The MySQL or MariaDB database of a store: what opening it would need, looked at without a change. */
import type { DatabaseReport } from '../store/mysql/database-report.ts';
import type { MysqlStore } from '../store/mysql/mysql-store.ts';
import { problemOf } from '../store/mysql/server-report.ts';
import type { Check } from './doctor-check.ts';
import { checksOf, clockCheck, driverCheck, formCheck, rightsCheck } from './doctor-database.ts';
import { packageVersionFrom } from '../integrations/installed-package.ts';

export function mysqlChecks(store: MysqlStore, now: () => number): Promise<Check[]> {
  const driver = driverCheck('mysql2', 'MySQL', packageVersionFrom('mysql2', import.meta.url));
  return checksOf(driver, async () => {
    const report = await store.report(now);
    const { description, prefix } = store;
    const place = { description, place: `tables ${prefix}…`, option: 'prefix' };
    const checks = [mysqlServerCheck(report), clockCheck(report), formCheck(place, report)];
    return [...checks, rightsCheck(report)];
  });
}

export function mysqlServerCheck(report: DatabaseReport): Check {
  const { version, isMariaDb, isolation, isDurable } = report;
  const message = `${isMariaDb ? 'MariaDB' : 'MySQL'} ${version}, isolation ${isolation} (commits ask for READ-COMMITTED themselves, and count rows alike with and without found rows)`;
  const name = 'mysql';
  const problem = problemOf(report);
  if (problem) {
    return { name, state: 'fail', message: `${message}: it ${problem.says}`, fix: problem.fix };
  }
  return isDurable
    ? { name, state: 'ok', message }
    : {
        name,
        state: 'warn',
        message: `${message}; a loss of power may take the last second of commits with it`,
        fix: 'set innodb_flush_log_at_trx_commit = 1, which is the default',
      };
}
