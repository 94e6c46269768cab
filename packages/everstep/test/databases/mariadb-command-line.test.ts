/** The command line beside an application whose tasks are in MariaDB. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Check } from '../../src/cli/doctor-check.ts';
import { AsyncTask, AsyncTaskComponent } from '../../src/index.ts';
import type { TaskStatus } from '../../src/index.ts';
import { everstep, everstepJson } from '../cli/command-line.ts';
import { silent } from '../tasks/running-component.ts';
import { MariaDbDatabase, mariaDbMissing } from './shared-mariadb.ts';

describe.skipIf(mariaDbMissing)(`on MariaDB ${mariaDbMissing ?? ''}`, () => {
  const database = new MariaDbDatabase('commands');

  it('makes no tables to look, and reads and submits where an application has made them', async () => {
    const at = ['--store', database.url];
    const nothing = await everstep(['tasks', 'list', '--json', ...at]);
    expect(nothing.code).toBe(1);
    expect(JSON.parse(nothing.err)).toMatchObject({ error: { code: 'STORE_NOT_FOUND' } });
    expect(await database.query('SHOW TABLES')).toEqual([]);

    const greet = new AsyncTask<{ name: string }, string>({
      name: 'greet',
      task: ({ name }) => Promise.resolve(`Hello, ${name}!`),
    });
    const component = new AsyncTaskComponent({ store: database.url, logger: silent });
    component.register(greet);
    await component.start();
    onTestFinished(() => component.stop({ gracePeriod: 0 }));
    const params = ['--params', '{"name":"Ada"}', '--task-id', 'greet-1'];
    await everstepJson(['tasks', 'submit', 'greet', ...params, ...at]);
    expect(await greet.result('greet-1', { timeout: '30s' })).toBe('Hello, Ada!');
    const status = await everstepJson<TaskStatus>(['tasks', 'status', 'greet-1', ...at]);
    expect(status).toMatchObject({ taskId: 'greet-1', status: 'completed' });

    const typo = await everstep(['tasks', 'list', '--namespace', 'typo', ...at]);
    expect(typo.err).toContain('has no namespace "typo"; it has default.');
    const { checks } = await everstepJson<{ checks: object[] }>(['doctor', ...at]);
    for (const name of ['mysql2', 'store', 'rights']) {
      expect(checks).toContainEqual(expect.objectContaining({ name, state: 'ok' }));
    }
    // The server of the tests does not wait for the disk.
    const [server] = checks.filter((check) => (check as Check).name === 'mysql') as Check[];
    expect(server).toMatchObject({ state: 'warn' });
    expect(server?.message).toMatch(/^MariaDB 1\d\.\d+.*isolation .*loss of power/);
  });

  it('says what a database lacks, and changes nothing to find out', async () => {
    const user = `lacking_${process.pid}`;
    const url = new URL(database.url);
    url.searchParams.set('prefix', 'jobs_');
    const checked = async (at: URL) => {
      const { code, out } = await everstep(['doctor', '--json', '--store', at.href]);
      const { checks } = JSON.parse(out) as { checks: Check[] };
      const named = (check: string) => checks.find((one) => one.name === check);
      return { code, named };
    };
    const theirs = new URL(url);
    theirs.username = user;
    theirs.password = 'secret';
    await database.query(`CREATE USER ${user}@'127.0.0.1' IDENTIFIED BY 'secret';
      GRANT SELECT ON ${database.name}.* TO ${user}@'127.0.0.1'`);
    onTestFinished(async () => {
      await database.query(`DROP USER ${user}@'127.0.0.1'`);
    });

    const empty = await checked(url);
    expect(empty.named('store')).toMatchObject({ state: 'warn' });
    expect(empty.named('rights')).toMatchObject({ state: 'ok' });
    expect(await database.query(`SHOW TABLES LIKE 'jobs%'`)).toEqual([]);
    expect((await checked(theirs)).named('rights')?.message).toMatch(/lacks CREATE on commands_/);

    const printed = await everstep(['migrate', '--print', '--store', url.href]);
    await database.query(printed.out);
    const partial = await checked(theirs);
    expect(partial.code).toBe(1);
    expect(partial.named('store')).toMatchObject({ state: 'ok' });
    expect(partial.named('rights')?.message).toMatch(/lacks .*UPDATE on jobs_runs, DELETE on/);
    await database.query(
      `GRANT INSERT, UPDATE, DELETE ON ${database.name}.* TO ${user}@'127.0.0.1'`,
    );
    expect((await checked(theirs)).named('rights')).toMatchObject({ state: 'ok' });

    await database.query(`INSERT INTO jobs_migrations (version, name) VALUES (999, 'later')`);
    const later = await checked(theirs);
    expect(later.named('store')).toMatchObject({ state: 'fail' });
    expect(later.named('store')?.message).toContain('form 999');
  });
});
