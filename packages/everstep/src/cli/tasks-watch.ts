/** `everstep tasks watch` */
import { Command } from 'commander';
import { withHomeOptions, type HomeFlags } from './home-options.ts';
import { jsonLine } from './json-text.ts';
import { exitCodes } from './problem.ts';
import { changeText } from './task-text.ts';
import type { Terminal } from './terminal.ts';

const examples = `
Examples:
  everstep tasks watch order-7
  everstep tasks watch order-7 --json | jq -c '[.status, .currentStep]'

Ends with the task: exit code 0 when it has completed, 1 when it failed or was cancelled. Ctrl-C ends the watching,
not the task.`;

export function tasksWatchCommand(terminal: Terminal): Command {
  const command = new Command('watch')
    .description('Show the status of a task now and at each change, until it has ended.')
    .argument('<taskId>')
    .option('--json', 'print each status as a line of JSON');
  return withHomeOptions(command)
    .addHelpText('after', examples)
    .action(async (taskId: string, flags: HomeFlags & { readonly json?: true }) => {
      const { atHome } = await import('./task-home.ts');
      await atHome(flags, terminal, async ({ tasks }) => {
        for await (const status of tasks.watch(taskId)) {
          terminal.out.write(flags.json ? jsonLine(status) : changeText(terminal, status));
          const ended = status.status === 'failed' || status.status === 'cancelled';
          terminal.exitCode = ended ? exitCodes.failure : exitCodes.ok;
        }
      });
    });
}
