/** The options of commands that run workers. */
import type { Command } from 'commander';
import { withHomeOptions, type HomeFlags } from './home-options.ts';
import { countOption } from './option-values.ts';

export interface WorkerFlags extends HomeFlags {
  readonly taskQueue?: string;
  readonly concurrency?: number;
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
      .option('--concurrency <count>', 'steps to run at once (default: 100)', countOption)
      .option('--grace <duration>', 'how long running steps may go on at the end', '10s')
      .option('--strict', 'end where a module, an integration or a domain cannot be loaded'),
  );
}
