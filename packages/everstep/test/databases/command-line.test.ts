/** The command line beside an application whose tasks are in PostgreSQL. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Check } from '../../src/cli/doctor-check.ts';
import { AsyncTask, AsyncTaskComponent } from '../../src/index.ts';
import type { TaskStatus } from '../../src/index.ts';
import { everstep, everstepJson } from '../cli/command-line.ts';
import { silent } from '../tasks/running-component.ts';
import { PostgresSchema, postgresMissing } from './shared-postgres.ts';

describe.skipIf(postgresMissing)(`on PostgreSQL ${postgresMissing ?? ''}`, () => {
  const schema = new PostgresSchema('commands');

  it('makes no tables to look, and reads and submits where an application has made them', async () => {
    const at = ['--store', schema.url];
    const nothing = await everstep(['tasks', 'list', '--json', ...at]);
    expect(nothing.code).toBe(1);
    expect(JSON.parse(nothing.err)).toMatchObject({ error: { code: 'STORE_NOT_FOUND' } });
    const { rows } = await schema.query(
      `SELECT 1 FROM pg_namespace WHERE nspname = '${schema.name}'`,
    );
    expect(rows).toEqual([]);

    const greet = new AsyncTask<{ name: string }, string>({
      name: 'greet',
      task: ({ name }) => Promise.resolve(`Hello, ${name}!`),
    });
    const component = new AsyncTaskComponent({ store: schema.url, logger: silent });
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
    for (const name of ['pg', 'postgres', 'clock', 'store', 'rights', 'reachable']) {
      expect(checks).toContainEqual(expect.objectContaining({ name, state: 'ok' }));
    }
  });

  it('says what a database lacks, and changes nothing to find out', async () => {
    const name = `${schema.name}_lacking`;
    const user = `${name}_user`;
    const url = new URL(schema.url);
    url.searchParams.set('schema', name);
    const checked = async (at: URL) => {
      const { code, out } = await everstep(['doctor', '--json', '--store', at.href]);
      const { checks } = JSON.parse(out) as { checks: Check[] };
      const named = (check: string) => checks.find((one) => one.name === check);
      return { code, named };
    };
    onTestFinished(async () => {
      await schema.query(`DROP SCHEMA IF EXISTS ${name} CASCADE; DROP ROLE IF EXISTS ${user}`);
    });

    const empty = await checked(url);
    expect(empty.named('store')).toMatchObject({ state: 'warn' });
    expect(empty.named('rights')).toMatchObject({ state: 'ok' });
    expect(empty.named('reachable')).toBeUndefined();
    const { rows } = await schema.query(`SELECT 1 FROM pg_namespace WHERE nspname = '${name}'`);
    expect(rows).toEqual([]);

    await everstep(['migrate', '--store', url.href]);
    await schema.query(`CREATE ROLE ${user} LOGIN PASSWORD 'secret'`);
    const theirs = new URL(url);
    theirs.username = user;
    theirs.password = 'secret';
    expect((await checked(theirs)).named('rights')?.message).toContain(
      `USAGE on the schema ${name}`,
    );
    await schema.query(
      `GRANT USAGE ON SCHEMA ${name} TO ${user};
       GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA ${name} TO ${user}`,
    );
    const partial = await checked(theirs);
    expect(partial.code).toBe(1);
    expect(partial.named('rights')?.message).toMatch(/lacks UPDATE on .*, USAGE on run_refs$/);
    expect(partial.named('reachable')).toBeUndefined();
    await schema.query(
      `GRANT UPDATE ON ALL TABLES IN SCHEMA ${name} TO ${user};
       GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${name} TO ${user}`,
    );
    expect((await checked(theirs)).named('rights')).toMatchObject({ state: 'ok' });

    await schema.query(`INSERT INTO ${name}.migrations (version, name) VALUES (999, 'later')`);
    const later = await checked(theirs);
    expect(later.named('store')).toMatchObject({ state: 'fail' });
    expect(later.named('store')?.message).toContain('form 999');
  });
});
