/** `everstep tasks cancel` */
import { Command } from 'commander';
import { EverstepError } from '../service/error-codes.ts';
import { withHomeOptions, type HomeFlags } from './home-options.ts';
import { jsonText } from './json-text.ts';
import type { Terminal } from './terminal.ts';

interface CancelFlags extends HomeFlags {
  readonly reason?: string;
  readonly terminate?: true;
  readonly json?: true;
}

const examples = `
Examples:
  everstep tasks cancel order-7 --reason 'the customer has called'
  everstep tasks cancel order-7 --terminate

A cancel is a request: the running step hears of it, and the task may clean up; everstep tasks watch shows its end.
Of a task that has ended it is refused (exit code 1). --terminate ends it at once, and its code does not hear of it.`;

export function tasksCancelCommand(terminal: Terminal): Command {
  const command = new Command('cancel')
    .description('Ask a task to stop.')
    .argument('<taskId>')
    .option('--reason <text>', 'for people; stands in the history and in the status')
    .option('--terminate', 'end it at once, without cleaning up')
    .option('--json', 'print { taskId, requested } as JSON');
  return withHomeOptions(command)
    .addHelpText('after', examples)
    .action(async (taskId: string, flags: CancelFlags) => {
      const { atHome } = await import('./task-home.ts');
      await atHome(flags, terminal, async ({ tasks }) => {
        const { status, completedAt } = await tasks.getStatus(taskId);
        if (completedAt !== undefined) {
          throw new EverstepError(
            'TASK_ALREADY_ENDED',
            `Task ${taskId} has ended already: it is ${status}. Nothing was changed.`,
            { taskId },
          );
        }
        const options = flags.reason === undefined ? {} : { reason: flags.reason };
        const requested = flags.terminate === true ? 'terminate' : 'cancel';
        await tasks[requested](taskId, options);
        const told = requested === 'cancel' ? 'asked to stop' : 'terminated';
        terminal.out.write(flags.json ? jsonText({ taskId, requested }) : `${taskId} ${told}\n`);
      });
    });
}
