/** A small round of the crash matrix; `npm run crash` has the large one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Spares } from './crew.ts';
import type { Failpoint } from './failpoints.ts';
import { runRound, type RoundReport } from './matrix.ts';
import type { Shape } from './round.ts';
import { SqliteGround } from './sqlite-ground.ts';

const seed = 20_251;
const good = { lost: 0, duplicated: 0, repeated: 0, violations: [] };

describe('tasks on one SQLite file', () => {
  let spares: Spares;
  beforeAll(() => {
    spares = new Spares();
  });
  afterAll(async () => {
    await spares.dismiss();
  });

  /** The round's report; `lost` and its like are 0 in a good one, and every kill that was planned has happened. */
  function round(shape: Shape, kills: readonly Failpoint[]): Promise<RoundReport> {
    return runRound({ shape, kills, seed, ground: new SqliteGround(), spares, tasksMin: 8 });
  }

  it('lose nothing and repeat no completed step when their one process is killed again and again', async () => {
    const report = await round('one process', [
      'during-migration',
      'inside-transaction',
      'mid-statement',
      'after-commit',
      'during-recovery',
      'during-checkpoint',
    ]);
    expect(report).toMatchObject(good);
  }, 120_000);

  it('lose nothing and repeat no completed step when one of several workers is killed', async () => {
    const report = await round('worker of several', ['after-commit', 'during-recovery']);
    expect(report).toMatchObject(good);
  }, 120_000);

  it('lose nothing that was acknowledged when the process that submits is killed', async () => {
    const report = await round('submitter of several', ['after-reply']);
    expect(report).toMatchObject(good);
  }, 120_000);
});
