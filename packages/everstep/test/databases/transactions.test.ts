import { setTimeout } from 'node:timers/promises';
import callbacks from 'mysql2';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  AsyncTask,
  AsyncTaskComponent,
  workflow,
  type AsyncTaskComponentOptions,
  type Registrable,
} from '../../src/index.ts';
import { gate, rejection, running, silent } from '../tasks/running-component.ts';
import {
  mariaDbApplication,
  postgresApplication,
  sqliteApplication,
  type ApplicationDatabase,
} from './application.ts';
import { MariaDbDatabase, mariaDbMissing } from './shared-mariadb.ts';
import { PostgresSchema, postgresMissing } from './shared-postgres.ts';

interface Shop {
  readonly database: ApplicationDatabase;
  readonly task: AsyncTask<{ n: number }, number>;
  /** What the task was run with. */
  readonly runs: number[];
  readonly component: AsyncTaskComponent;
}

async function component(
  options: AsyncTaskComponentOptions,
  ...items: readonly Registrable[]
): Promise<AsyncTaskComponent> {
  const made = new AsyncTaskComponent({ logger: silent, ...options });
  made.registerAll(items);
  await made.start();
  onTestFinished(() => made.stop({ gracePeriod: 0 }));
  return made;
}

function noting(runs: number[]): AsyncTask<{ n: number }, number> {
  return new AsyncTask({
    name: 'confirm',
    task: async ({ n }: { n: number }) => {
      runs.push(n);
      return n;
    },
  });
}

async function shop(open: () => Promise<ApplicationDatabase>): Promise<Shop> {
  const database = await open();
  const runs: number[] = [];
  const task = noting(runs);
  const made = await component({ store: database.store }, task);
  await database.prepare();
  return { database, task, runs, component: made };
}

function describeTransactions(title: string, open: () => Promise<ApplicationDatabase>): void {
  describe(`a task submitted in a transaction of the application, ${title}`, () => {
    it('exists when that commits, with its rows, and runs once', async () => {
      const { database, task, runs } = await shop(open);
      const transaction = await database.begin();
      await transaction.run("INSERT INTO orders VALUES ('a')");
      const id = await task.submit({ n: 1 }, { taskId: 'a', tx: transaction.tx });
      expect(id).toBe('a');
      expect((await task.getStatus(id)).status).toBe('not_found');
      await setTimeout(60);
      expect(runs).toEqual([]);
      await transaction.commit();
      expect(await task.result(id)).toBe(1);
      expect(await database.orders()).toEqual(['a']);
      expect(runs).toEqual([1]);
    });

    it('is gone when that rolls back, and nothing of it is remembered', async () => {
      const { database, task, runs } = await shop(open);
      const transaction = await database.begin();
      await transaction.run("INSERT INTO orders VALUES ('a')");
      await task.submit({ n: 1 }, { taskId: 'a', tx: transaction.tx });
      await transaction.rollback();
      expect((await task.getStatus('a')).status).toBe('not_found');
      // Under the same id, with other parameters: the first never was.
      await task.submit({ n: 2 }, { taskId: 'a' });
      expect(await task.result('a')).toBe(2);
      expect(await database.orders()).toEqual([]);
      expect(runs).toEqual([2]);
    });

    it('is gone when whoever began that is gone before the commit', async () => {
      const { database, task, runs } = await shop(open);
      await database.beginAndDie(task, 'a');
      await task.submit({ n: 2 }, { taskId: 'a' });
      expect(await task.result('a')).toBe(2);
      expect(runs).toEqual([2]);
    }, 60_000);

    it('is one task with those that are submitted under its id meanwhile', async () => {
      const { database, task, runs } = await shop(open);
      const elsewhere = noting(runs);
      await component({ store: database.store }, elsewhere);
      const transaction = await database.begin();
      await task.submit({ n: 1 }, { taskId: 'a', tx: transaction.tx });
      const others = [task, elsewhere].map((one) => one.submit({ n: 1 }, { taskId: 'a' }));
      const conflict = rejection(elsewhere.submit({ n: 2 }, { taskId: 'a' }));
      await setTimeout(30);
      await transaction.commit();
      expect(await Promise.all(others)).toEqual(['a', 'a']);
      expect(await conflict).toMatchObject({ code: 'TASK_ID_CONFLICT' });
      expect(await elsewhere.result('a')).toBe(1);
      expect(runs).toEqual([1]);
    });

    it('leaves its id to those that wait for it when it rolls back', async () => {
      const { database, task, runs } = await shop(open);
      const transaction = await database.begin();
      await task.submit({ n: 1 }, { taskId: 'a', tx: transaction.tx });
      const other = task.submit({ n: 2 }, { taskId: 'a' });
      await setTimeout(30);
      await transaction.rollback();
      expect(await other).toBe('a');
      expect(await task.result('a')).toBe(2);
      expect(runs).toEqual([2]);
    });

    it('may be submitted again in it, and a conflict of ids leaves the transaction as it was', async () => {
      const { database, task, runs } = await shop(open);
      await task.submit({ n: 1 }, { taskId: 'earlier' });
      expect(await task.result('earlier')).toBe(1);
      const transaction = await database.begin();
      const { tx } = transaction;
      await task.submit({ n: 2 }, { taskId: 'a', tx });
      expect(await task.submit({ n: 2 }, { taskId: 'a', tx })).toBe('a');
      expect(await task.submit({ n: 1 }, { taskId: 'earlier', tx })).toBe('earlier');
      for (const taskId of ['a', 'earlier']) {
        expect(await rejection(task.submit({ n: 9 }, { taskId, tx }))).toMatchObject({
          code: 'TASK_ID_CONFLICT',
          taskId,
        });
      }
      await transaction.run("INSERT INTO orders VALUES ('a')");
      await transaction.commit();
      expect(await task.result('a')).toBe(2);
      expect(await database.orders()).toEqual(['a']);
      expect(runs).toEqual([1, 2]);
    });

    it('may be one of a thousand, all of them or none', async () => {
      const database = await open();
      const task = noting([]);
      const made = await component({ store: database.store, worker: false }, task);
      const client = made.getClient();
      const submitAll = async (end: 'commit' | 'rollback'): Promise<number> => {
        const transaction = await database.begin();
        const { tx } = transaction;
        await Promise.all(Array.from({ length: 1_000 }, (_, n) => task.submit({ n }, { tx })));
        expect((await client.workflow.count()).count).toBe(0);
        await transaction[end]();
        return (await client.workflow.count()).count;
      };
      expect(await submitAll('rollback')).toBe(0);
      expect(await submitAll('commit')).toBe(1_000);
    }, 60_000);

    it('waits for its delay from the submit on', async () => {
      const { database, task } = await shop(open);
      const transaction = await database.begin();
      const id = await task.submit({ n: 1 }, { delay: 150, tx: transaction.tx });
      await transaction.commit();
      expect(await task.result(id, { timeout: '10s' })).toBe(1);
      const { createdAt, startedAt = 0 } = await task.getStatus(id);
      expect(startedAt - createdAt).toBeGreaterThanOrEqual(150);
    });

    it('may be followed by others in the next transaction of the connection', async () => {
      const { database, task, runs } = await shop(open);
      const transaction = await database.begin();
      const { tx } = transaction;
      await task.submit({ n: 1 }, { taskId: 'a', tx });
      await transaction.rollback();
      await transaction.run('BEGIN');
      await task.submit({ n: 2 }, { taskId: 'a', tx });
      await transaction.commit();
      await transaction.run('BEGIN');
      await task.submit({ n: 3 }, { taskId: 'b', tx });
      await transaction.commit();
      expect(await task.result('a')).toBe(2);
      expect(await task.result('b')).toBe(3);
      expect(runs.toSorted((a, b) => a - b)).toEqual([2, 3]);
    });

    it('is refused where the connection is no transaction of its database, and nothing is written', async () => {
      const { database, task, runs } = await shop(open);
      const refused = async (tx: unknown, code = 'TRANSACTION_INVALID'): Promise<string> => {
        const error = await rejection(task.submit({ n: 1 }, { taskId: 'a', tx: tx as never }));
        expect(error).toMatchObject({
          code,
          taskId: code === 'TRANSACTION_INVALID' ? 'a' : undefined,
        });
        return error.message;
      };
      expect(await refused({})).toMatch(/tx has no/);
      expect(await refused(await database.outside())).toMatch(/in no transaction.*BEGIN/);
      expect(await refused(await database.elsewhere())).toMatch(/tx is|no tables/);
      expect(await refused(undefined, 'SUBMIT_OPTIONS_INVALID')).toMatch(/tx is undefined/);
      expect(await refused(null, 'SUBMIT_OPTIONS_INVALID')).toMatch(/tx is null/);
      expect((await task.getStatus('a')).status).toBe('not_found');
      expect(runs).toEqual([]);
    });

    it('may be a workflow, by its typed start', async () => {
      const database = await open();
      const greet = workflow({ name: 'greet' }, async (ctx, who: string) =>
        ctx.step('greeting', async () => `Hello, ${who}`),
      );
      await component({ store: database.store }, greet);
      const transaction = await database.begin();
      const { tx } = transaction;
      const handle = await greet.start('Ada', { workflowId: 'w', tx });
      expect(handle.workflowId).toBe('w');
      expect((await rejection(greet.start('Bob', { workflowId: 'w', tx }))).name).toBe(
        'WorkflowExecutionAlreadyStartedError',
      );
      expect(await rejection(greet.execute('Ada', { tx }))).toMatchObject({
        code: 'WORKFLOW_OPTIONS_INVALID',
      });
      expect(
        await rejection(
          greet.start('Ada', {
            workflowId: 'w',
            workflowIdConflictPolicy: 'TERMINATE_EXISTING',
            tx,
          }),
        ),
      ).toMatchObject({ code: 'WORKFLOW_OPTIONS_INVALID' });
      await transaction.commit();
      expect(await handle.result()).toBe('Hello, Ada');
    });

    it('does not pass its transaction on to what it sets going', async () => {
      const database = await open();
      const inner = new AsyncTask({ name: 'inner', task: async () => 'inner' });
      const outer = new AsyncTask({ name: 'outer', task: async () => inner.submit(undefined) });
      await component({ store: database.store }, inner, outer);
      const transaction = await database.begin();
      const id = await outer.submit({}, { tx: transaction.tx });
      await transaction.commit();
      expect(await inner.result(await outer.result(id))).toBe('inner');
    });
  });
}

describeTransactions('on a SQLite file', sqliteApplication);

describe.skipIf(postgresMissing)(`PostgreSQL ${postgresMissing ?? ''}`, () => {
  const schema = new PostgresSchema('transactions');

  describeTransactions('on PostgreSQL', () => postgresApplication(schema));

  it('takes a client of pg, and says what is wrong with what else has queries', async () => {
    const { task } = await shop(() => postgresApplication(schema));
    const refusal = async (tx: unknown): Promise<string> => {
      const error = await rejection(task.submit({ n: 1 }, { tx: tx as never }));
      expect(error).toMatchObject({ code: 'TRANSACTION_INVALID' });
      return error.message;
    };
    expect(await refusal(schema.pool)).toMatch(/tx is a Pool.*pool\.connect/);
    expect(await refusal({ query: () => undefined })).toMatch(/does not answer as a client/);
    const client = await schema.pool.connect();
    onTestFinished(() => client.release());
    await client.query('BEGIN');
    await rejection(client.query('SELECT nothing_there'));
    expect(await refusal(client)).toMatch(/has failed already.*Roll it back/);
    await client.query('ROLLBACK');
    // One that does not say whether it is in a transaction, as those of an older pg.
    const older = { query: client.query.bind(client) };
    expect(await refusal(older)).toMatch(/in no transaction/);
    await client.query('BEGIN');
    await task.submit({ n: 1 }, { taskId: 'a', tx: older });
    await client.query('ROLLBACK');
    expect((await task.getStatus('a')).status).toBe('not_found');
  });

  it('needs no connection of the pool but the one of the transaction', async () => {
    await postgresApplication(schema);
    const pool = new pg.Pool({ ...schema.pool.options, max: 1 });
    onTestFinished(() => pool.end());
    const runs: number[] = [];
    const task = noting(runs);
    await component({ store: { postgres: pool, schema: schema.name } }, task);
    const client = await pool.connect();
    await client.query('BEGIN');
    await task.submit({ n: 1 }, { taskId: 'a', tx: client });
    await client.query('COMMIT');
    client.release();
    expect(await task.result('a')).toBe(1);
    expect(runs).toEqual([1]);
  });
});

describe.skipIf(mariaDbMissing)(`MariaDB ${mariaDbMissing ?? ''}`, () => {
  const database = new MariaDbDatabase('transactions');

  describeTransactions('on MariaDB', () => mariaDbApplication(database));

  async function connected(options: mysql.ConnectionOptions = {}): Promise<mysql.Connection> {
    const connection = await mysql.createConnection({ uri: database.url, ...options });
    onTestFinished(() => connection.destroy());
    return connection;
  }

  it('takes a connection of mysql2 however it was made, and says what is wrong with what else has queries', async () => {
    const { task, runs } = await shop(() => mariaDbApplication(database));
    const refusal = async (tx: unknown): Promise<string> => {
      const error = await rejection(task.submit({ n: 1 }, { tx: tx as never }));
      expect(error).toMatchObject({ code: 'TRANSACTION_INVALID' });
      return error.message;
    };
    expect(await refusal(database.pool)).toMatch(/tx is a Pool.*pool\.getConnection/);
    expect(await refusal({ query: () => undefined })).toMatch(/does not answer as a connection/);
    const lax = await connected();
    await lax.query(`SET SESSION sql_mode = ''`);
    await lax.query('START TRANSACTION');
    expect(await refusal(lax)).toMatch(/cuts what is too long/);
    const pooled = await database.pool.getConnection();
    onTestFinished(() => pooled.release());
    const withCallbacks = callbacks.createConnection(database.url);
    onTestFinished(() => withCallbacks.destroy());
    const asArrays = await connected({ rowsAsArray: true, multipleStatements: true });
    const notAutomatic = await connected();
    await notAutomatic.query('SET autocommit = 0');
    await pooled.beginTransaction();
    await withCallbacks.promise().beginTransaction();
    await asArrays.beginTransaction();
    for (const [n, tx] of [pooled, withCallbacks, asArrays, notAutomatic].entries()) {
      await task.submit({ n }, { taskId: `a-${n}`, tx });
      expect((await task.getStatus(`a-${n}`)).status).toBe('not_found');
      await (tx === withCallbacks ? withCallbacks.promise() : (tx as mysql.Connection)).commit();
      expect(await task.result(`a-${n}`)).toBe(n);
    }
    expect(runs).toEqual([0, 1, 2, 3]);
  });

  it('sees what was submitted since its snapshot was taken', async () => {
    const { task, runs } = await shop(() => mariaDbApplication(database));
    const connection = await connected();
    await connection.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
    await task.submit({ n: 1 }, { taskId: 'a' });
    expect(await task.result('a')).toBe(1);
    expect(await task.submit({ n: 1 }, { taskId: 'a', tx: connection })).toBe('a');
    expect(await rejection(task.submit({ n: 2 }, { taskId: 'a', tx: connection }))).toMatchObject({
      code: 'TASK_ID_CONFLICT',
    });
    await task.submit({ n: 3 }, { taskId: 'b', tx: connection });
    await connection.query('COMMIT');
    expect(await task.result('b')).toBe(3);
    expect(runs).toEqual([1, 3]);
  });

  it('writes nothing once the server has rolled it back', async () => {
    const { database: shopping, task, runs } = await shop(() => mariaDbApplication(database));
    await database.query("INSERT INTO orders VALUES ('y')");
    const [dear, cheap] = [await shopping.begin(), await shopping.begin()];
    // The one with fewer changes is undone.
    await Promise.all(
      ['a', 'b', 'c', 'd'].map((taskId) => task.submit({ n: 1 }, { taskId, tx: dear.tx })),
    );
    await cheap.run("UPDATE orders SET id = 'x'");
    const waiting = dear.run("UPDATE orders SET id = 'z'");
    await setTimeout(50);
    expect(await rejection(task.submit({ n: 1 }, { taskId: 'a', tx: cheap.tx }))).toMatchObject({
      code: 'SUBMIT_FAILED',
      message: expect.stringContaining('has rolled the transaction of tx back') as string,
    });
    await waiting;
    expect(await rejection(task.submit({ n: 5 }, { taskId: 'late', tx: cheap.tx }))).toMatchObject({
      code: 'TRANSACTION_INVALID',
    });
    await cheap.rollback();
    await dear.rollback();
    expect((await task.getStatus('late')).status).toBe('not_found');
    expect(runs).toEqual([]);
  });

  it('needs no connection of the pool but the one of the transaction', async () => {
    await mariaDbApplication(database);
    const pool = mysql.createPool({ uri: database.url, connectionLimit: 1 });
    onTestFinished(() => pool.end());
    const runs: number[] = [];
    const task = noting(runs);
    const made = await component({ store: { mysql: pool } }, task);
    const connection = await pool.getConnection();
    await connection.query('START TRANSACTION');
    await Promise.all(
      Array.from({ length: 700 }, (_, n) => task.submit({ n }, { delay: '1h', tx: connection })),
    );
    await task.submit({ n: 1 }, { taskId: 'a', tx: connection });
    await connection.query('COMMIT');
    connection.release();
    expect(await task.result('a')).toBe(1);
    expect(runs).toEqual([1]);
    expect((await made.getClient().workflow.count()).count).toBe(701);
  });
});

describe('a store without transactions of others', () => {
  it.each(['memory', 'a server'] as const)('refuses one in %s, with what to do', async (place) => {
    const held = gate();
    const task = new AsyncTask({ name: 'refused', task: () => held.opened });
    await running(place, [task]);
    const error = await rejection(
      task.submit(undefined as never, { taskId: 'a', tx: { query: () => undefined } } as never),
    );
    expect(error).toMatchObject({ code: 'TRANSACTION_UNSUPPORTED', taskId: 'a' });
    expect(error.message).toMatch(/SQLite file, PostgreSQL or MySQL/);
    expect((await task.getStatus('a')).status).toBe('not_found');
    held.open();
  });
});
