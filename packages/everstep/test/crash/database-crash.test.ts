/** A small round on each database that is installed here; `npm run crash -- --store` has the large ones. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allOnDatabases, databaseKinds } from '../databases/all-on-databases.ts';
import { Spares } from './crew.ts';
import type { Failpoint } from './failpoints.ts';
import type { Ground } from './ground.ts';
import { newGround } from './grounds.ts';
import { runRound } from './matrix.ts';

const seed = 20_261;
const kills: readonly Failpoint[] = [
  'during-migration',
  'inside-transaction',
  'mid-statement',
  'after-commit',
  'during-recovery',
  'answer-lost',
  'backends-terminated',
  'deadlock',
  'lock-timeout',
  'server-stopped',
];

it.runIf(databaseKinds.length === 0)('are left out: no database is installed here', () => {
  expect(databaseKinds).toEqual([]);
});

describe.skipIf(!allOnDatabases).each(databaseKinds)('tasks on %s', (kind) => {
  let ground: Ground;
  let spares: Spares;
  beforeAll(() => {
    ground = newGround(kind);
    spares = new Spares(kind);
    // A machine that has much else to do takes its time to compile them.
  }, 120_000);
  afterAll(async () => {
    await spares.dismiss();
    await ground.close();
  });

  it('are not lost and repeat no completed step whatever befalls a worker or the database', async () => {
    const shape = 'worker of several';
    const report = await runRound({ shape, kills, seed, ground, spares, tasksMin: 8 });
    expect(report).toMatchObject({ lost: 0, duplicated: 0, repeated: 0, violations: [] });
    expect(report.killed).toBeGreaterThanOrEqual(kills.length);
  }, 600_000);
});
