/** What must be true when all videos have ended. */
import { isDeepStrictEqual } from 'node:util';
import type { Outcome } from './run.ts';

/** What is not as it should be; empty when all is right. */
export function verdict({ videos, jobs }: Outcome): string[] {
  const jobOf = (prompt: string) => jobs.find((job) => job.prompt === prompt);
  const urlOf = (prompt: string) => `/videos/${jobOf(prompt)?.id}.mp4`;
  const expected: readonly [string, unknown, unknown][] = [
    ['the video that was waited for', videos['cat'], `done ${urlOf('cat')}`],
    ['the hurried video', videos['dog'], `done ${urlOf('dog')}`],
    ['the video that was stopped early', videos['bird'], `stopped ${urlOf('bird')}`],
    ['the cancelled video', videos['fish'], 'Workflow canceled'],
    ['the job of the cancelled video', jobOf('fish')?.state, 'stopped'],
    ['the video of the async task', videos['horse'], `done ${urlOf('horse')}`],
    ['the looks at the hurried job', (jobOf('dog')?.reads ?? Infinity) < 1000, true],
    ['jobs submitted twice', jobs.filter(({ submits }) => submits > 1), []],
  ];
  return expected
    .filter(([, actual, wanted]) => !isDeepStrictEqual(actual, wanted))
    .map(
      ([what, actual, wanted]) =>
        `${what}: ${JSON.stringify(actual)}; expected ${JSON.stringify(wanted)}`,
    );
}
