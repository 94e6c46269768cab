/** The PostgreSQL database of a store: what opening it would need, looked at without a change. */
import { packageVersionFrom } from '../integrations/installed-package.ts';
import type { DatabaseReport } from '../store/postgres/database-report.ts';
import type { PostgresStore } from '../store/postgres/postgres-store.ts';
import type { Check } from './doctor-check.ts';
import { problemOf } from './problem.ts';
import { spanShort } from './time-text.ts';

/** What the network alone may take. */
const clockMsMax = 1_000;

export function postgresChecks(store: PostgresStore, now: () => number): Promise<Check[]> {
  const driver = driverCheck('pg', 'PostgreSQL', packageVersionFrom('pg', import.meta.url));
  return checksOf(driver, async () => {
    const report = await store.report(now);
    const { description, schema } = store;
    const place = { description, place: `schema ${schema}`, option: 'schema' };
    const checks = [serverCheck(report), clockCheck(report), formCheck(place, report)];
    return [...checks, rightsCheck(report)];
  });
}

/** What `look` finds with that driver, or why it cannot look. */
export async function checksOf(driver: Check, look: () => Promise<Check[]>): Promise<Check[]> {
  if (driver.state === 'fail') return [driver];
  try {
    return [driver, ...(await look())];
  } catch (error) {
    const { message, code } = problemOf(error);
    const fix = `see ${code} in docs/reference/errors.md`;
    return [driver, { name: 'store', state: 'fail', message, fix }];
  }
}

export function driverCheck(name: string, server: string, version: string | undefined): Check {
  return version === undefined
    ? {
        name,
        state: 'fail',
        message: `the package ${name} is not installed, and a store in ${server} needs it`,
        fix: `npm install ${name}`,
      }
    : { name, state: 'ok', message: `${name} ${version}` };
}

export function serverCheck(report: DatabaseReport): Check {
  const { version, major, oldestMajor, encoding, isReplica, isReadOnly, isolation } = report;
  const message = `PostgreSQL ${version}, encoding ${encoding}${isReplica ? ', a replica' : isReadOnly ? ', read-only' : ''}`;
  const name = 'postgres';
  if (major < oldestMajor) {
    const fix = `update the server; Everstep needs PostgreSQL ${oldestMajor} or newer`;
    return { name, state: 'fail', message, fix };
  }
  if (encoding !== 'UTF8') {
    return { name, state: 'fail', message, fix: `create the database with ENCODING 'UTF8'` };
  }
  if (isReplica || isReadOnly) {
    const fix = 'name the primary, and let default_transaction_read_only be off';
    return { name, state: 'fail', message, fix };
  }
  if (isolation !== 'read committed') {
    const fix =
      "let the pooler pass on the option default_transaction_isolation, or set it for the role: ALTER ROLE … SET default_transaction_isolation = 'read committed'";
    return { name, state: 'fail', message: `${message}, transactions are ${isolation}`, fix };
  }
  return { name, state: 'ok', message };
}

/** Deadlines are told by the clocks of the processes, which take them over from each other. */
export function clockCheck({ clockAheadMs }: { readonly clockAheadMs: number }): Check {
  const name = 'clock';
  const apart = Math.abs(clockAheadMs);
  if (apart < clockMsMax) {
    return { name, state: 'ok', message: "this machine's clock and the server's agree" };
  }
  const message = `this machine's clock is ${spanShort(apart)} ${clockAheadMs > 0 ? 'behind' : 'ahead of'} the server's: delays and timeouts are off by that much where the processes of several machines share the store`;
  return { name, state: 'warn', message, fix: 'let all machines keep their time (NTP)' };
}

/** `place`: which tables those are; `option`: of the URL, that says so. */
export function formCheck(
  { description, place, option }: { description: string; place: string; option: string },
  { form, newestForm }: { form: number; newestForm: number },
): Check {
  const name = 'store';
  const where = `${description}, ${place}`;
  if (form === 0) {
    return {
      name,
      state: 'warn',
      message: `there are no tables that this user can see in the ${where}`,
      fix: `a component makes them when it starts, or everstep migrate; if one runs, name its database and ?${option}= with --store`,
    };
  }
  if (form > newestForm) {
    return {
      name,
      state: 'fail',
      message: `${where} has form ${form}, and this version knows forms up to ${newestForm}`,
      fix: `update Everstep, or choose another ${option} (?${option}=)`,
    };
  }
  return form < newestForm
    ? {
        name,
        state: 'warn',
        message: `${where} has form ${form}, and this version writes form ${newestForm}`,
        fix: 'it is brought up to date by everstep migrate, or when a process of this version opens it; keep a backup',
      }
    : { name, state: 'ok', message: `${where}, form ${form}, the newest` };
}

export function rightsCheck({
  user,
  missingRights,
}: {
  readonly user: string;
  readonly missingRights: readonly string[];
}): Check {
  const name = 'rights';
  return missingRights.length === 0
    ? { name, state: 'ok', message: `the user ${user} has what is needed` }
    : {
        name,
        state: 'fail',
        message: `the user ${user} lacks ${missingRights.join(', ')}`,
        fix: `grant it, or let an administrator run what 'everstep migrate --print' prints`,
      };
}
