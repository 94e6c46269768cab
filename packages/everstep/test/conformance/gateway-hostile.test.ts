/** A small round of hostile callers; `npm run hostile` has the large one. */
import { expect, it } from 'vitest';
import { hostileRound } from './hostile-round.ts';

it('every call that is hostile has a status in time, shows nothing of the inside and harms nobody (15)', async () => {
  const report = await hostileRound({ seed: 5, calls: 400, polls: 200 });
  expect(report.problems).toEqual([]);
  // No call but a poll took more than 15 s.
  expect(report.late).toBe(0);
  expect(report.calls).toBeGreaterThan(350);
  expect(report.streams).toBeGreaterThan(20);
  expect(report.statuses).toMatchObject({
    INVALID_ARGUMENT: expect.any(Number) as number,
    RESOURCE_EXHAUSTED: expect.any(Number) as number,
    UNIMPLEMENTED: expect.any(Number) as number,
  });
  expect(report.rssMb.after - report.rssMb.before).toBeLessThan(300);
}, 240_000);
