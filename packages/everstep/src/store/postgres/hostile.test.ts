import { connect, createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { PostgresSchema, postgresMissing } from '../../../test/databases/shared-postgres.ts';
import { groupOf, keyOf, namespaceId, newRun, nextOf, start } from '../store-fixture.contract.ts';
import type { CommitGroup, Store } from '../store.ts';
import { settingsOf } from './connection-settings.ts';
import type { PostgresPool, PostgresQuery } from './driver.ts';
import { PostgresStore } from './postgres-store.ts';

/** The queries of a client, as the store uses them. */
interface Queries {
  query(query: PostgresQuery): Promise<unknown>;
}

/** A pool that lets something happen around each commit. */
function tapped(
  pool: pg.Pool,
  around: (
    client: Queries,
    commit: () => Promise<unknown>,
    elsewhere: () => Promise<unknown>,
  ) => Promise<unknown>,
): PostgresPool {
  return {
    on: (event, listener) => pool.on(event, listener),
    off: (event, listener) => pool.off(event, listener),
    end: () => pool.end(),
    connect: (callback) =>
      pool.connect((error, client) => {
        const own = client as unknown as Queries;
        callback(
          error,
          client && {
            on: client.on.bind(client),
            off: client.off.bind(client),
            release: client.release.bind(client),
            query: (query: PostgresQuery) =>
              query.text.includes('commit_1')
                ? around(
                    own,
                    () => own.query(query),
                    () => (pool as unknown as Queries).query(query),
                  )
                : own.query(query),
          },
        );
      }),
  };
}

describe.skipIf(postgresMissing)(
  `a PostgreSQL that is not as it should be ${postgresMissing ?? ''}`,
  () => {
    const schema = new PostgresSchema('hostile');
    const opened: Store[] = [];

    const storeAt = (change: (url: URL) => void): PostgresStore => {
      const url = new URL(schema.url);
      change(url);
      return new PostgresStore({ settings: settingsOf(url.href) });
    };
    async function open<T extends Store>(store: T): Promise<T> {
      await store.open();
      opened.push(store);
      return store;
    }
    const refusal = (store: Store) =>
      store.open().then(
        () => expect.fail('It was opened.'),
        (error: unknown) => error,
      );
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close();
    });

    it('is refused with words that say what to do, and never the password', async () => {
      await open(storeAt(() => undefined));
      await schema.query(`CREATE ROLE with_password LOGIN PASSWORD 'right'`);
      await schema.query('CREATE ROLE without_rights LOGIN');
      const wrong = await refusal(
        storeAt((url) => {
          url.username = 'with_password';
          url.password = 'hunter2';
        }),
      );
      expect(wrong).toMatchObject({ code: 'STORE_ACCESS_DENIED' });
      expect(String(wrong)).not.toContain('hunter2');
      const rightless = await refusal(storeAt((url) => (url.username = 'without_rights')));
      expect(rightless).toMatchObject({ code: 'STORE_ACCESS_DENIED' });
      expect(String(rightless)).toContain('USAGE on the schema');
      const missing = await refusal(storeAt((url) => (url.pathname = '/nowhere')));
      expect(missing).toMatchObject({ code: 'STORE_ACCESS_DENIED' });
      expect(await refusal(storeAt((url) => (url.port = '1')))).toMatchObject({
        code: 'STORE_UNREACHABLE',
      });
      const tls = await refusal(storeAt((url) => url.searchParams.set('sslmode', 'require')));
      expect(tls).toMatchObject({ code: 'STORE_UNREACHABLE' });
      expect(String(tls)).toContain('sslmode');
      await open(storeAt((url) => url.searchParams.set('sslmode', 'prefer')));
      await schema.query('ALTER ROLE with_password SET default_transaction_read_only = on');
      const readOnly = await refusal(
        storeAt((url) => {
          url.username = 'with_password';
          url.password = 'right';
        }),
      );
      expect(readOnly).toMatchObject({ code: 'STORE_NOT_WRITABLE' });
      await schema.query('DROP ROLE with_password; DROP ROLE without_rights');
    });

    it('is left alone when its tables are newer', async () => {
      await open(storeAt(() => undefined));
      await schema.query(`INSERT INTO ${schema.name}.migrations (version, name) VALUES (999, 'x')`);
      expect(await refusal(storeAt(() => undefined))).toMatchObject({
        code: 'STORE_NEWER_VERSION',
      });
      await schema.query(`DELETE FROM ${schema.name}.migrations WHERE version = 999`);
    });

    it('serves over one connection', async () => {
      const store = await open(storeAt((url) => url.searchParams.set('connections', '1')));
      const groups: CommitGroup[] = Array.from({ length: 120 }, (_, n) =>
        groupOf(newRun(keyOf(`one-${n}`))),
      );
      const results = await store.commit(groups);
      expect(results.every(({ outcome }) => outcome === 'committed')).toBe(true);
      expect(
        (await store.visibility.count({ namespaceId, groupByStatus: false })).count,
      ).toBeGreaterThanOrEqual(120);
    });

    it('lets more questions wait than it has connections, for as long as they must', async () => {
      const store = await open(
        storeAt((url) => {
          url.searchParams.set('connections', '1');
          url.searchParams.set('connect_timeout', '1');
          url.searchParams.set('application_name', 'one');
        }),
      );
      await start(store, keyOf('waits'));
      const lock = await schema.pool.connect();
      await lock.query(`BEGIN; LOCK TABLE ${schema.name}.runs IN ACCESS EXCLUSIVE MODE`);
      const loads = Promise.all(
        Array.from({ length: 5 }, () => store.runs.load({ key: keyOf('waits') })),
      );
      // Longer than a connection may take to be made.
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await lock.query('COMMIT');
      lock.release();
      expect((await loads).every((run) => run?.version === 1)).toBe(true);
    });

    it('makes a lost answer known before anything is read: what was not written then never is', async () => {
      const pool = new pg.Pool({ connectionString: schema.url, max: 4 });
      let held: (() => Promise<unknown>) | undefined;
      let lose: 'before' | 'after' | undefined;
      const store = await open(
        new PostgresStore({
          pool: tapped(pool, async (_, commit, elsewhere) => {
            if (lose === undefined) return commit();
            const when = lose;
            lose = undefined;
            if (when === 'after') await commit();
            // As a server that gets the statement only after its client has given up.
            else held = elsewhere;
            throw Object.assign(new Error('Connection terminated unexpectedly'), {
              code: 'ECONNRESET',
            });
          }),
          schema: schema.name,
        }),
      );
      const key = keyOf('doubt');
      const ref = await start(store, key);
      lose = 'after';
      await expect(store.commit([groupOf(nextOf(key, ref, 1))])).rejects.toMatchObject({
        code: 'STORE_UNREACHABLE',
      });
      expect(await store.runs.load({ key })).toMatchObject({
        version: 2,
        operationToken: 'update 1',
      });
      lose = 'before';
      await expect(store.commit([groupOf(nextOf(key, ref, 2))])).rejects.toMatchObject({
        code: 'STORE_UNREACHABLE',
      });
      expect((await store.runs.load({ key }))?.version).toBe(2);
      await expect(held?.()).rejects.toMatchObject({ code: 'EV002' });
      expect((await store.runs.load({ key }))?.version).toBe(2);
      expect(await store.commit([groupOf(nextOf(key, ref, 2))])).toMatchObject([
        { outcome: 'committed' },
      ]);
      await opened.pop()?.close();
      await pool.end();
    });

    it('may end connections at any time: reads go on, and a commit is written once or not', async () => {
      const store = await open(storeAt((url) => url.searchParams.set('application_name', 'ended')));
      const key = keyOf('ended');
      const ref = await start(store, key);
      await schema.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ended'`,
      );
      expect((await store.runs.load({ key }))?.ref).toBe(ref);
      const next = await store.commit([groupOf(nextOf(key, ref, 1))]).catch(() => undefined);
      const version = (await store.runs.load({ key }))?.version;
      expect(next === undefined ? [1, 2] : [2]).toContain(version);
    });

    it('may end a connection in the packet that opens it', async () => {
      const ended = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'opened' AND state = 'idle'`;
      const endWhenOpen = async (): Promise<void> => {
        while ((await schema.query(ended)).rows.length === 0);
      };
      // Keeps the answers of the server back until it has ended the connection.
      const between = createServer((client) => {
        const server = connect(Number(new URL(schema.url).port), '127.0.0.1');
        const answers: Buffer[] = [];
        for (const socket of [client, server]) socket.on('error', () => undefined);
        client.on('data', (sent) => server.write(sent));
        server.on('data', (answer) => answers.push(answer));
        server.once('data', () => void endWhenOpen());
        server.on('close', () => client.end(Buffer.concat(answers)));
      });
      await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void between.close());
      const store = storeAt((url) => {
        url.port = String((between.address() as AddressInfo).port);
        url.searchParams.set('application_name', 'opened');
      });
      expect(await refusal(store)).toMatchObject({ code: 'STORE_UNREACHABLE' });
    });
  },
);
