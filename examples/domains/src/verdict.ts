/** What must be true when both domains have done their work. */
import { isDeepStrictEqual } from 'node:util';
import type { Outcome } from './run.ts';

/** What is not as it should be; empty when all is right. */
export function verdict({ answers, book, exitCodes }: Outcome): string[] {
  const expected: readonly [string, unknown, unknown][] = [
    ['the greeting', answers['hello'], 'Hello, Ada!'],
    ['the order that arrives', answers['near'], 'delivered near to Elm Street 1'],
    ['the order that cannot arrive', answers['far'], 'no courier goes to the moon'],
    ['the order that cannot be', /cents/.test(answers['odd'] ?? ''), true],
    [
      'the book',
      book,
      [
        'baked far',
        'baked near',
        'charged 1200 for far',
        'charged 1200 for near',
        'delivered near to Elm Street 1',
        'prepared a small funghi for far',
        'prepared a small funghi for near',
        'refunded 1200 for far',
      ],
    ],
    ['the exit codes of the workers', exitCodes, [0, 0]],
  ];
  return expected
    .filter(([, actual, wanted]) => !isDeepStrictEqual(actual, wanted))
    .map(
      ([what, actual, wanted]) =>
        `${what}: ${JSON.stringify(actual)}; expected ${JSON.stringify(wanted)}`,
    );
}
