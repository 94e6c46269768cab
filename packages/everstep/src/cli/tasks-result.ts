/** `everstep tasks result` */
import { Command } from 'commander';
import { withHomeOptions, type HomeFlags } from './home-options.ts';
import { jsonText } from './json-text.ts';
import { paint, type Terminal } from './terminal.ts';

interface ResultFlags extends HomeFlags {
  readonly timeout?: string;
  readonly json?: true;
}

const examples = `
Examples:
  everstep tasks result order-7 --timeout 5m
  everstep tasks result "$(everstep tasks submit resize --params '{"url":"…"}')" | jq .

The result is printed as JSON; with --json as { taskId, result }. A task that failed or was cancelled is an error
(exit code 1). Ctrl-C ends the waiting, not the task.`;

export function tasksResultCommand(terminal: Terminal): Command {
  const command = new Command('result')
    .description('Wait for the result of a task, and print it.')
    .argument('<taskId>')
    .option(
      '--timeout <duration>',
      'how long to wait, such as 5m (default: until the task has ended)',
    )
    .option('--json', 'print { taskId, result } as JSON');
  return withHomeOptions(command)
    .addHelpText('after', examples)
    .action(async (taskId: string, flags: ResultFlags) => {
      const { atHome } = await import('./task-home.ts');
      await atHome(flags, terminal, async ({ tasks }) => {
        const { timeout } = flags;
        const status = await tasks.getStatus(taskId);
        if (terminal.err.isTTY && status.completedAt === undefined && status.createdAt > 0) {
          const note = `task ${taskId} is ${status.status}; waiting for its end\n`;
          terminal.err.write(paint(terminal, terminal.err, 'dim', note));
        }
        const options = timeout === undefined ? {} : { timeout: timeout as `${number}s` };
        const result = await tasks.result(taskId, options);
        terminal.out.write(jsonText(flags.json ? { taskId, result } : result));
      });
    });
}
