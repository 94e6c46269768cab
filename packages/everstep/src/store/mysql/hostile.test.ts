import mysql from 'mysql2/promise';
import { afterEach, describe, expect, it } from 'vitest';
import { MariaDbServer } from '../../../test/databases/mariadb-server.ts';
import { MariaDbDatabase, mariaDbMissing } from '../../../test/databases/shared-mariadb.ts';
import {
  bytesOf,
  committed,
  groupOf,
  keyOf,
  namespaceId,
  newRun,
  nextOf,
  start,
  taskOf,
} from '../store-fixture.contract.ts';
import type { CommitGroup, Store } from '../store.ts';
import { settingsOf } from './connection-settings.ts';
import type { MysqlPool } from './driver.ts';
import { MysqlStore } from './mysql-store.ts';

interface Query {
  readonly sql: string;
}

/** A connection's queries, as the store uses them. */
interface Queries {
  query(query: Query): Promise<unknown>;
}

/** A pool that lets something happen around each packet that commits a run. */
function tapped(
  pool: mysql.Pool,
  around: (commit: () => Promise<unknown>, elsewhere: () => Promise<unknown>) => Promise<unknown>,
): MysqlPool {
  return {
    // How many connections it has, and that a packet may have several statements.
    ...({ pool: (pool as unknown as { readonly pool: unknown }).pool } as object),
    end: () => pool.end(),
    getConnection: async () => {
      const connection = await pool.getConnection();
      const own = connection as unknown as Queries;
      return {
        on: connection.on.bind(connection),
        off: connection.off.bind(connection),
        release: connection.release.bind(connection),
        destroy: connection.destroy.bind(connection),
        query: (query: Query) =>
          query.sql.includes('_refusals')
            ? around(
                () => own.query(query),
                () => (pool as unknown as Queries).query(query),
              )
            : own.query(query),
      };
    },
  };
}

describe.skipIf(mariaDbMissing)(
  `a MariaDB that is not as it should be ${mariaDbMissing ?? ''}`,
  () => {
    const database = new MariaDbDatabase('hostile');
    const opened: Store[] = [];

    const storeAt = (change: (url: URL) => void): MysqlStore => {
      const url = new URL(database.url);
      change(url);
      return new MysqlStore({ settings: settingsOf(url.href) });
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
      const user = `rightless_${process.pid}`;
      await database.query(`CREATE USER ${user}@'127.0.0.1' IDENTIFIED BY 'right';
        GRANT SELECT ON ${database.name}.* TO ${user}@'127.0.0.1'`);
      const as = (password: string) => (url: URL) => {
        url.username = user;
        url.password = password;
      };
      const wrong = await refusal(storeAt(as('hunter2')));
      expect(wrong).toMatchObject({ code: 'STORE_ACCESS_DENIED' });
      expect(String(wrong)).not.toContain('hunter2');
      const rightless = await refusal(storeAt(as('right')));
      expect(rightless).toMatchObject({ code: 'STORE_ACCESS_DENIED' });
      expect(String(rightless)).toContain('SELECT, INSERT, UPDATE and DELETE');
      await database.query(`DROP USER ${user}@'127.0.0.1'`);
      const missing = await refusal(storeAt((url) => (url.pathname = '/nowhere')));
      expect(missing).toMatchObject({ code: 'STORE_ACCESS_DENIED' });
      expect(String(missing)).toContain('CREATE DATABASE');
      expect(await refusal(storeAt((url) => (url.port = '1')))).toMatchObject({
        code: 'STORE_UNREACHABLE',
      });
      const tls = await refusal(storeAt((url) => url.searchParams.set('ssl-mode', 'REQUIRED')));
      expect(tls).toMatchObject({ code: 'STORE_UNREACHABLE' });
      expect(String(tls)).toContain('ssl-mode');
      await open(storeAt((url) => url.searchParams.set('ssl-mode', 'PREFERRED')));
    });

    // Other files use the server of the run meanwhile.
    it('is left alone when it is read-only', { timeout: 120_000 }, async () => {
      const server = await MariaDbServer.start();
      try {
        const connection = await mysql.createConnection(server.url(''));
        await connection.query('CREATE DATABASE still');
        await connection.query('SET GLOBAL read_only = ON');
        await connection.end();
        const store = new MysqlStore({ settings: settingsOf(server.url('still')) });
        expect(await refusal(store)).toMatchObject({ code: 'STORE_NOT_WRITABLE' });
      } finally {
        await server.remove();
      }
    });

    it('is left alone when its tables are newer', async () => {
      await open(storeAt(() => undefined));
      await database.query(`INSERT INTO everstep_migrations (version, name) VALUES (999, 'x')`);
      expect(await refusal(storeAt(() => undefined))).toMatchObject({
        code: 'STORE_NEWER_VERSION',
      });
      await database.query('DELETE FROM everstep_migrations WHERE version = 999');
    });

    it('has its tables made once by processes that open it at once, and made whole after one died at it', async () => {
      const at = (url: URL): void => url.searchParams.set('prefix', 'at_once_');
      const stores = Array.from({ length: 6 }, () => storeAt(at));
      await Promise.all(stores.map((store) => open(store)));
      expect(await database.query('SELECT version FROM at_once_migrations')).toEqual([
        { version: 1 },
      ]);
      // As if the process that makes them had died before the last.
      await database.query(
        'DROP TABLE at_once_hints; DELETE FROM at_once_migrations; DELETE FROM at_once_refusals',
      );
      const next = await open(storeAt(at));
      await start(next, keyOf('after'));
      next.hints.ring();
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

    it('serves a pool whose packets have one statement', async () => {
      for (const pool of [
        mysql.createPool({ uri: database.url, connectionLimit: 2 }),
        // The form without promises.
        mysql.createPool({ uri: database.url, connectionLimit: 2 }).pool as never,
      ]) {
        const store = await open(new MysqlStore({ pool }));
        const key = keyOf('single', String(Math.random()));
        const ref = await start(store, key, { replaces: undefined, tasks: [taskOf()] });
        expect(await store.commit([groupOf(nextOf(key, ref, 7))])).toEqual([
          { outcome: 'conflict' },
        ]);
        committed((await store.commit([groupOf(nextOf(key, ref, 1))]))[0]);
        expect((await store.runs.load({ key }))?.version).toBe(2);
        await opened.pop()?.close();
        await (pool as mysql.Pool).end();
      }
    });

    it('says what a value is too large for, and writes others of the same call', async () => {
      const packetBytesMax = 4 * 1024 * 1024;
      const [row] = await database.query('SELECT @@max_allowed_packet AS bytes');
      await database.query(`SET GLOBAL max_allowed_packet = ${packetBytesMax}`);
      const store = await open(storeAt(() => undefined));
      await database.query(`SET GLOBAL max_allowed_packet = ${String(row?.['bytes'])}`);
      const state = new Uint8Array(packetBytesMax / 2);
      const [large, small] = await store.commit([
        groupOf(newRun(keyOf('large'), { state })),
        groupOf(newRun(keyOf('small'))),
      ]);
      expect(large).toMatchObject({ outcome: 'failed', error: { code: 'STORE_FAILED' } });
      expect(String((large as { error: unknown }).error)).toContain('max_allowed_packet');
      committed(small);
      // Larger than a packet only as a whole.
      const part = new Uint8Array(packetBytesMax / 4).fill(7);
      const key = keyOf('in-parts');
      const ref = await start(store, key, {
        state: part,
        history: { firstEventId: 1, nextEventId: 2, bytes: part },
      });
      expect(Buffer.compare((await store.runs.load({ key }))?.state ?? state, part)).toBe(0);
      expect(await store.history.read({ ref, fromEventId: 1, bytesMax: 1 })).toHaveLength(1);
    });

    it('undoes writes because of others: they are made again', async () => {
      const store = await open(storeAt(() => undefined));
      const keys = ['ring-1', 'ring-2'].map((id) => keyOf(id));
      const refs = await Promise.all(keys.map((key) => start(store, key)));
      const other = await database.pool.getConnection();
      await other.query(`START TRANSACTION; SELECT 1 FROM everstep_runs WHERE ref = ${refs[1]} FOR UPDATE;
        DELETE FROM everstep_hints WHERE one = 2; INSERT INTO everstep_mail VALUES (-1, '', ''), (-2, '', ''), (-3, '', '')`);
      const commit = store.commit([
        groupOf(...keys.map((key, index) => nextOf(key, refs[index] ?? 0, 1))),
      ]);
      // Our commit has the first run and waits for the second; this makes a ring, of which it is the smaller part.
      await other.query(`SELECT 1 FROM everstep_runs WHERE ref = ${refs[0]} FOR UPDATE`);
      await other.query('ROLLBACK');
      other.release();
      committed((await commit)[0]);
      expect((await store.runs.heads({ refs })).map(({ version }) => version)).toEqual([2, 2]);
    });

    it('makes a lost answer known before anything is read: what was not written then never is', async () => {
      const pool = mysql.createPool({
        uri: database.url,
        connectionLimit: 4,
        multipleStatements: true,
      });
      let held: (() => Promise<unknown>) | undefined;
      let lose: 'before' | 'after' | undefined;
      const store = await open(
        new MysqlStore({
          pool: tapped(pool, async (commit, elsewhere) => {
            if (lose === undefined) return commit();
            const when = lose;
            lose = undefined;
            if (when === 'after') await commit();
            // As a server that gets the packet only after its client has given up.
            else held = elsewhere;
            throw Object.assign(new Error('Connection lost: The server closed the connection.'), {
              code: 'PROTOCOL_CONNECTION_LOST',
              fatal: true,
            });
          }),
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
      await expect(held?.()).rejects.toMatchObject({ errno: 1062 });
      await pool.query('ROLLBACK');
      expect((await store.runs.load({ key }))?.version).toBe(2);
      expect(await store.commit([groupOf(nextOf(key, ref, 2))])).toMatchObject([
        { outcome: 'committed' },
      ]);
      await opened.pop()?.close();
      await pool.end();
    });

    it('may end connections at any time: reads go on, and a commit is written once or not', async () => {
      const store = await open(storeAt(() => undefined));
      const key = keyOf('ended');
      const ref = await start(store, key);
      const endAll = async (): Promise<void> => {
        const rows = await database.query(
          `SELECT id FROM information_schema.processlist WHERE db = '${database.name}' AND id <> connection_id()`,
        );
        for (const { id } of rows)
          await database.query(`KILL ${String(id)}`).catch(() => undefined);
      };
      await endAll();
      expect((await store.runs.load({ key }))?.ref).toBe(ref);
      await endAll();
      const next = await store
        .commit([groupOf(nextOf(key, ref, 1, { outbox: [bytesOf('message')] }))])
        .catch(() => undefined);
      const version = (await store.runs.load({ key }))?.version;
      expect(next === undefined ? [1, 2] : [2]).toContain(version);
      expect(await store.outbox.ofRun({ ref })).toHaveLength((version ?? 0) - 1);
    });
  },
);
