/** `everstep tasks status` */
import { Command } from 'commander';
import { withHomeOptions, type HomeFlags } from './home-options.ts';
import { jsonText } from './json-text.ts';
import { statusText } from './task-text.ts';
import type { Terminal } from './terminal.ts';

const examples = `
Examples:
  everstep tasks status order-7
  everstep tasks status order-7 --json | jq -r .currentStep

The JSON is what getStatus() returns, with { name, taskQueue, workers? }: how many workers poll the queue of a task
that has not ended. Times are epoch milliseconds.`;

export function tasksStatusCommand(terminal: Terminal): Command {
  const command = new Command('status')
    .description('Show where a task is: its step, attempts, progress, result or error.')
    .argument('<taskId>')
    .option('--json', 'print the status as JSON');
  return withHomeOptions(command)
    .addHelpText('after', examples)
    .action(async (taskId: string, flags: HomeFlags & { readonly json?: true }) => {
      const { atHome } = await import('./task-home.ts');
      const { placeOf } = await import('./task-place.ts');
      const { taskNotFound } = await import('../tasks/task-reader.ts');
      await atHome(flags, terminal, async ({ tasks, connection }) => {
        const status = await tasks.getStatus(taskId);
        if (status.status === 'not_found') throw taskNotFound(taskId);
        const place = await placeOf(connection, status);
        if (flags.json) terminal.out.write(jsonText({ ...status, ...place }));
        else terminal.out.write(statusText(terminal, status, place));
      });
    });
}
