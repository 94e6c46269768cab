/** What must be true when all requests have ended. */
import { isDeepStrictEqual } from 'node:util';
import type { Outcome } from './run.ts';

/** What is not as it should be; empty when all is right. */
export function verdict({ requests, jobs, refusals, endedAfterKill }: Outcome): string[] {
  const expected: (readonly [string, unknown, unknown])[] = requests.flatMap((request) => {
    const { prompt, status, error, task, picture = '' } = request;
    const refused = prompt.includes('forbidden');
    return [
      [`the record of "${prompt}"`, status, refused ? 'failed' : 'done'],
      [`the task of "${prompt}"`, task.status, refused ? 'failed' : 'completed'],
      [`the picture of "${prompt}"`, picture.includes(`<title>${prompt}</title>`), !refused],
      [`an error of "${prompt}"`, error?.includes('against the rules') ?? false, refused],
    ] as const;
  });
  const keys = new Set(jobs.map(({ key }) => key));
  expected.push(
    ['requests', requests.length, 5],
    ['jobs at the provider', jobs.length, 4],
    ['jobs done twice', jobs.length - keys.size, 0],
    ['tasks went on after the worker was killed', endedAfterKill > 0, true],
    ['times that the provider had enough to do', refusals, 3],
  );
  return expected
    .filter(([, actual, wanted]) => !isDeepStrictEqual(actual, wanted))
    .map(
      ([what, actual, wanted]) =>
        `${what}: ${JSON.stringify(actual)}; expected ${JSON.stringify(wanted)}`,
    );
}
