/** Runs workers until the terminal says stop, or one of them has failed for good. */
import { setTimeout } from 'node:timers/promises';
import { AsyncTaskComponent } from '../component/async-task-component.ts';
import type { Found } from '../integrations/runnable.ts';
import { WorkerManager } from '../integrations/worker-manager.ts';
import { EverstepError } from '../service/error-codes.ts';
import { parseDuration } from '../tasks/duration.ts';
import { componentOptions } from './home-options.ts';
import { paint, type Terminal } from './terminal.ts';
import { isOfficial, namesOf, workSources, type LeftOut } from './work-sources.ts';
import type { WorkerFlags } from './worker-options.ts';

const healthMs = 1_000;

type Names = ReturnType<typeof namesOf>;

export interface RunningWork extends Names {
  /** Integrations and domains with workflows of the official SDK. */
  readonly official: readonly string[];
  readonly failures: readonly LeftOut[];
}

/**
 * @returns Whether it ended because it was told to.
 * @throws EverstepError REGISTRATION_INVALID where there is nothing to run; what a component's start throws; with
 * `strict` the first thing that cannot be loaded.
 */
export async function runWork(
  paths: readonly string[],
  flags: WorkerFlags,
  terminal: Terminal,
  onRunning: (work: RunningWork) => void,
): Promise<boolean> {
  const { stop } = terminal;
  const grace = parseDuration(flags.grace, 0);
  if (grace.problem !== undefined) throw new RangeError(`--grace ${grace.problem}.`);
  const { groups, integrations, domains, failures } = await workSources(
    paths,
    terminal.env['ENABLE_DOMAINS'],
  );
  for (const { path, reason } of failures) warn(terminal, `${path} was left out: ${reason}`);
  const [first] = failures;
  if (flags.strict && first !== undefined) {
    throw new EverstepError('REGISTRATION_INVALID', `--strict: ${first.path} cannot be run.`);
  }
  const official = [...integrations, ...domains].filter(isOfficial);
  if (groups.length === 0 && official.length === 0) {
    throw new EverstepError(
      'REGISTRATION_INVALID',
      'There is nothing to run: no task, workflow or activity was found. Name modules that export them, or folders of such modules or of integrations.',
    );
  }
  const components = groups.map(({ taskQueue = flags.taskQueue, items }) => {
    const component = new AsyncTaskComponent({
      ...componentOptions(flags),
      worker: true,
      ...(taskQueue !== undefined && { taskQueue }),
      ...(flags.concurrency !== undefined && { concurrency: flags.concurrency }),
    });
    component.registerAll(items);
    return component;
  });
  const manager =
    official.length > 0 ? await officialWorkers(official, flags, grace.ms) : undefined;
  try {
    for (const component of components) await component.start();
    await manager?.start();
    onRunning({ ...namesOf(groups), official: official.map(nameOf), failures });
    while (!stop.aborted && components.every((component) => component.isStarted())) {
      await setTimeout(healthMs, undefined, { signal: stop }).catch(() => undefined);
    }
    return stop.aborted;
  } finally {
    await Promise.all([
      manager?.stop(),
      ...components.map((component) => component.stop({ gracePeriod: grace.ms })),
    ]);
  }
}

/** A manager of their workflows alone: their tasks are the components'. */
async function officialWorkers(
  sources: readonly Found[],
  flags: WorkerFlags,
  graceMs: number,
): Promise<WorkerManager> {
  const { worker: _worker, ...where } = componentOptions(flags);
  const manager = new WorkerManager({
    ...where,
    gracePeriod: graceMs,
    strict: flags.strict === true,
  });
  await manager.create(sources.map((source) => ({ ...source, tasks: [] })));
  return manager;
}

function nameOf(source: Found): string {
  return 'name' in source ? source.name : source.integrationName;
}

function warn(terminal: Terminal, message: string): void {
  terminal.err.write(`${paint(terminal, terminal.err, 'yellow', 'everstep:')} ${message}\n`);
}
