/** The options of commands that run workers. */
import { Option, type Command } from 'commander';
import { withHomeOptions, type HomeFlags } from './home-options.ts';
import { countOption } from './option-values.ts';
import { parseDuration } from '../tasks/duration.ts';

export interface WorkerFlags extends HomeFlags {
  readonly taskQueue?: string;
  readonly concurrency?: number;
  readonly isolation?: 'none' | 'process';
  readonly grace: string;
  readonly strict?: true;
}

export interface DevFlags extends WorkerFlags {
  readonly port: number;
  readonly server: boolean;
  readonly watch?: readonly string[];
}

export function withWorkerOptions(command: Command): Command {
  return withHomeOptions(
    command
      .option(
        '--task-queue <name>',
        "for tasks that name none (default: TEMPORAL_TASK_QUEUE, else 'async-tasks')",
      )
      .option(
        '--concurrency <count>',
        'steps that each worker runs at once (default: 100)',
        countOption,
      )
      .addOption(
        new Option(
          '--isolation <kind>',
          'process: each integration and domain in a process of its own (default: none)',
        ).choices(['none', 'process']),
      )
      .option('--grace <duration>', 'how long running steps may go on at the end', '10s')
      .option('--strict', 'end where a module, an integration or a domain cannot be loaded'),
  );
}

/** @throws RangeError */
export function graceMs({ grace }: Pick<WorkerFlags, 'grace'>): number {
  const parsed = parseDuration(grace, 0);
  if (parsed.problem !== undefined) throw new RangeError(`--grace ${parsed.problem}.`);
  return parsed.ms;
}
