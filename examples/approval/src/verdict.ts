/** What must be true when every expense is decided. */
import { isDeepStrictEqual } from 'node:util';
import type { Outcome } from './run.ts';

/** What is not as it should be; empty when all is right. */
export function verdict(outcome: Outcome): string[] {
  const expected: Outcome = {
    endings: { early: 'paid', late: 'paid', refused: 'refused', forgotten: 'expired' },
    states: ['waits for a decision', 'waits for a decision, after a reminder'],
    reminded: ['forgotten', 'late'],
    paid: ['early 1000', 'late 2000'],
  };
  const actual = { ...outcome, reminded: outcome.reminded.toSorted() };
  return (Object.keys(expected) as (keyof Outcome)[])
    .filter((part) => !isDeepStrictEqual(actual[part], expected[part]))
    .map(
      (part) =>
        `${part}: ${JSON.stringify(actual[part])}; expected ${JSON.stringify(expected[part])}`,
    );
}
