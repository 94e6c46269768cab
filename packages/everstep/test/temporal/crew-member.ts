/**
 * A process of the proofs in kills.ts. `work` runs the tasks until it is killed; `submit` submits one task at the
 * given moment and ends. Each start of a step's code is a line in the journal: what, when, by whom.
 */
import { appendFileSync } from 'node:fs';
import { AsyncTask } from '../../src/tasks/async-task.ts';
import { AsyncTaskComponent } from '../../src/component/async-task-component.ts';
import { step } from '../../src/tasks/steps.ts';

export interface Orders {
  readonly mode: 'work' | 'submit';
  readonly where: { readonly temporalAddress: string } | { readonly store: string };
  readonly taskQueue: string;
  readonly journal: string;
  readonly taskId?: string;
  readonly at?: number;
}

export interface Started {
  readonly taskId: string;
  readonly key: string;
  readonly pid: number;
  readonly at: number;
}

export function fiveSteps(journal: string): AsyncTask<{ n: number }, number> {
  return new AsyncTask({
    name: 'five',
    retryPolicy: { maxRetries: 20, initialDelay: 100, maxDelay: 500 },
    task: async function* ({ n }: { n: number }) {
      let sum = n;
      for (let at = 1; at <= 5; at += 1) {
        sum += yield* step(`s${at}`, async ({ taskId }) => {
          const line: Started = { taskId, key: `s${at}`, pid: process.pid, at: Date.now() };
          appendFileSync(journal, `${JSON.stringify(line)}\n`);
          await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 150));
          return at;
        });
      }
      return sum;
    },
  });
}

async function main(orders: Orders): Promise<void> {
  const { mode, where, taskQueue, journal, taskId = '', at = 0 } = orders;
  const component = new AsyncTaskComponent({
    ...where,
    taskQueue,
    worker: mode === 'work',
    concurrency: 20,
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  });
  const task = fiveSteps(journal);
  component.register(task);
  await started(component);
  process.send?.('ready');
  if (mode === 'work') return;
  await new Promise((resolve) => setTimeout(resolve, at - Date.now()));
  await task.submit({ n: 7 }, { taskId });
  await component.stop();
  process.disconnect?.();
}

/** A busy machine may take longer to connect than a component waits. */
async function started(component: AsyncTaskComponent): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await component.start();
      return;
    } catch (error) {
      if (tries >= 10) throw error;
    }
  }
}

function nothing(): void {}

const given = process.argv[2];
if (given?.startsWith('{')) await main(JSON.parse(given) as Orders);
