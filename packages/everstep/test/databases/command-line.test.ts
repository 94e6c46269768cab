/** The command line beside an application whose tasks are in PostgreSQL. */
import { describe, expect, it, onTestFinished } from 'vitest';
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
    expect(checks).toContainEqual(expect.objectContaining({ name: 'reachable', state: 'ok' }));
  });
});
