/** The end of the demo: all evidence put together, and told. */
import { readdirSync } from 'node:fs';
import { checkResult, findRepeats } from './check.ts';
import { type ProviderEntry, type WorkerEntry, readLedger } from './ledger.ts';
import type { Observations } from './observations.ts';
import { imagesFolder, places } from './settings.ts';

export interface Verdict {
  /** What `--json` prints. */
  readonly numbers: {
    readonly tasks: number;
    readonly completed: number;
    readonly failed: number;
    readonly kills: number;
    readonly completedStepsRunAgain: number;
    readonly repeatedInFlight: number;
    readonly seconds: number;
  };
  /** None: all is right. */
  readonly problems: readonly string[];
}

/** @param resultOf Asks the web process for the result of the task with this id. */
export async function judge(
  seen: Observations,
  run: { readonly folder: string; readonly kills: number; readonly startedAt: number },
  resultOf: (id: string) => Promise<unknown>,
): Promise<Verdict> {
  const { workerLedger, providerLedger, gallery } = places(run.folder);
  const { problems: found, ...repeats } = findRepeats(
    seen.tasks,
    readLedger<WorkerEntry>(workerLedger),
    readLedger<ProviderEntry>(providerLedger),
  );
  const problems = [...found];
  if (run.kills !== 2) problems.push(`the worker was killed ${run.kills} times, not twice`);
  for (const task of seen.tasks) {
    const { status, error } = task.status;
    if (status !== 'completed') {
      problems.push(`${task.id} is ${status}${error === undefined ? '' : `: ${error}`}`);
      continue;
    }
    const result = await resultOf(task.id);
    problems.push(...(await checkResult(task, result, { images: imagesFolder, gallery })));
  }
  const count = (wanted: string): number =>
    seen.tasks.filter(({ status }) => status.status === wanted).length;
  return {
    numbers: {
      tasks: seen.tasks.length,
      completed: count('completed'),
      failed: count('failed'),
      kills: run.kills,
      ...repeats,
      seconds: Math.round((Date.now() - run.startedAt) / 100) / 10,
    },
    problems,
  };
}

/** The verdict in words. */
export function summary({ numbers, problems }: Verdict, folder: string): string {
  const { providerLedger, gallery } = places(folder);
  const provider = readLedger<ProviderEntry>(providerLedger);
  const asked = (wanted: ProviderEntry['event']): number =>
    provider.filter(({ event }) => event === wanted).length;
  const pictures = readdirSync(gallery, { recursive: true }).filter((path) =>
    /\.(png|jpg)$/.test(String(path)),
  );
  const rows = [
    ['tasks', `${numbers.completed} of ${numbers.tasks} completed, ${numbers.failed} failed`],
    ['worker', `killed ${numbers.kills} times`],
    ['completed steps run again', String(numbers.completedStepsRunAgain)],
    ['steps in flight repeated', String(numbers.repeatedInFlight)],
    [
      'provider',
      `${asked('accepted')} jobs accepted, ${asked('refused')} × 429, ${asked('broken')} × 500, ` +
        `${asked('repeated')} asked for twice and done once`,
    ],
    ['gallery', `${pictures.length} pictures in ${gallery}`],
    ['time', `${numbers.seconds} s`],
  ];
  const table = rows.map(([name = '', value = '']) => `  ${name.padEnd(27)}${value}`);
  const end =
    problems.length === 0
      ? 'All is right.'
      : [`${problems.length} problems:`, ...problems.map((problem) => `  - ${problem}`)].join('\n');
  return ['', ...table, '', end].join('\n');
}
