import mysql from 'mysql2/promise';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MariaDbDatabase, mariaDbMissing } from '../../../test/databases/shared-mariadb.ts';
import { bytesOf, keyOf, namespaceId, start } from '../store-fixture.contract.ts';
import { MysqlStore } from './mysql-store.ts';

describe.skipIf(mariaDbMissing)(`what reads cost on MariaDB ${mariaDbMissing ?? ''}`, () => {
  const database = new MariaDbDatabase('reads');

  async function opened(pool: mysql.Pool): Promise<MysqlStore> {
    const store = new MysqlStore({ pool });
    await store.open();
    onTestFinished(() => store.close());
    return store;
  }

  it('a history is read without a table on the disk', async () => {
    const pool = mysql.createPool({ uri: database.url, connectionLimit: 1 });
    onTestFinished(() => pool.end());
    const store = await opened(pool);
    const ref = await start(store, keyOf('a'), {
      history: { firstEventId: 1, nextEventId: 3, bytes: bytesOf('events') },
    });
    const tables = async (): Promise<unknown> => {
      const [rows] = await pool.query(`SHOW SESSION STATUS LIKE 'Created_tmp_disk_tables'`);
      return (rows as Record<string, unknown>[])[0]?.['Value'];
    };
    const before = await tables();
    expect(await store.history.read({ ref, fromEventId: 1, bytesMax: 1e6 })).toHaveLength(1);
    expect(await tables()).toBe(before);
  });

  it('who asks for the head of a run while others do is asked for with them', async () => {
    const store = await opened(database.pool);
    const keys = Array.from({ length: 50 }, (_, n) => keyOf(`run-${n}`));
    const refs = await Promise.all(keys.map((key) => start(store, key)));
    const before = store.queries;
    const heads = await Promise.all([
      ...keys.map(({ workflowId }) => store.runs.currentHead({ namespaceId, workflowId })),
      store.runs.currentHead({ namespaceId, workflowId: 'nobody' }),
      store.runs.currentHead({ namespaceId: 'nowhere', workflowId: 'run-1' }),
    ]);
    expect(heads).toEqual([...refs.map((ref) => ({ ref, version: 1 })), undefined, undefined]);
    const versions = await Promise.all(refs.map((ref) => store.runs.heads({ refs: [ref] })));
    expect(versions).toEqual(refs.map((ref) => [{ ref, version: 1 }]));
    expect(store.queries - before).toBeLessThanOrEqual(6);
  });
});
