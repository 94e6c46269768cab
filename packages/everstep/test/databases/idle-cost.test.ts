/** What processes that have nothing to do ask of their database. */
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AsyncTask, AsyncTaskComponent } from '../../src/index.ts';
import { settingsOf } from '../../src/store/postgres/connection-settings.ts';
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts';
import { silent } from '../tasks/running-component.ts';
import { allOnDatabases } from './all-on-databases.ts';
import { PostgresSchema, postgresMissing } from './shared-postgres.ts';

const seconds = 5;

describe.skipIf(postgresMissing ?? !allOnDatabases)(
  `idle processes on PostgreSQL ${postgresMissing ?? ''}`,
  () => {
    const schema = new PostgresSchema('idle');

    it('ask one thing a second each, however many there are', async () => {
      const components = [];
      for (let count = 0; count < 3; count += 1) {
        const store = new PostgresStore({ settings: settingsOf(schema.url) });
        const task = new AsyncTask({ name: 'greet', task: async (name: string) => `Hi, ${name}` });
        const component = new AsyncTaskComponent({ store, logger: silent });
        component.register(task);
        await component.start();
        onTestFinished(() => component.stop({ gracePeriod: 0 }));
        components.push({ store, task });
      }
      for (const { task } of components) {
        const id = await task.submit('Ada');
        expect(await task.result(id, { timeout: '20s' })).toBe('Hi, Ada');
      }
      await pause(2_000);
      const before = components.map(({ store }) => store.queries);
      await pause(seconds * 1_000);
      const asked = components.map(({ store }, index) => store.queries - (before[index] ?? 0));
      // A second's look may fall on either side of both ends.
      for (const queries of asked) expect(queries).toBeLessThanOrEqual(seconds + 1);
      expect(Math.max(...asked)).toBeGreaterThan(0);
    }, 60_000);
  },
);
