import { expect, it } from 'vitest';
import { ManualClock } from '../../test/manual-clock.ts';
import { StoreError, type CommitGroup } from '../store/store.ts';
import { HeldUnits } from './held-units.ts';
import { newUnit, type Unit } from './unit.ts';

const error = new StoreError('STORE_BUSY', 'held');
const group: CommitGroup = { writes: [], doneTasks: [], doneOutbox: [], now: 0 };

function holding() {
  const clock = new ManualClock();
  const held = new Set<Unit>();
  const written: Unit[] = [];
  const failed: Unit[] = [];
  let tries = 0;
  const units = new HeldUnits({
    clock: clock.view(),
    write: (unit) => {
      tries += 1;
      if (held.has(unit)) return Promise.resolve(error);
      written.push(unit);
      return Promise.resolve(undefined);
    },
    fail: (unit) => failed.push(unit),
  });
  const hold = (): Unit => {
    const unit = newUnit();
    held.add(unit);
    units.add(unit, group, error);
    return unit;
  };
  return {
    clock,
    units,
    hold,
    release: (unit: Unit) => held.delete(unit),
    written,
    failed,
    tries: () => tries,
  };
}

it('tries what is held again until it is free, and what is free beside it', async () => {
  const { clock, hold, release, written, failed, tries } = holding();
  const [first, second] = [hold(), hold()];
  await clock.advance(1_000);
  expect(written).toEqual([]);
  expect(tries()).toBeLessThan(20);
  release(second);
  await clock.advance(500);
  expect(written).toEqual([second]);
  release(first);
  await clock.advance(500);
  expect(written).toEqual([second, first]);
  expect(failed).toEqual([]);
});

it('fails what is held for as long as a database may take for an answer', async () => {
  const { clock, hold, failed } = holding();
  const unit = hold();
  await clock.advance(29_000);
  expect(failed).toEqual([]);
  await clock.advance(2_000);
  expect(failed).toEqual([unit]);
});

it('fails it at once when it is given up, and goes on with what comes later', async () => {
  const { clock, units, hold, release, failed, written } = holding();
  const unit = hold();
  await units.giveUp();
  expect(failed).toEqual([unit]);
  const later = hold();
  release(later);
  await clock.advance(1_000);
  expect(written).toEqual([later]);
});
