/** `everstep tasks`: what there is to be seen and done about tasks, from beside the application. */
import { Command } from 'commander';
import { tasksCancelCommand } from './tasks-cancel.ts';
import { tasksListCommand } from './tasks-list.ts';
import { tasksResultCommand } from './tasks-result.ts';
import { tasksRetryCommand } from './tasks-retry.ts';
import { tasksStatusCommand } from './tasks-status.ts';
import { tasksSubmitCommand } from './tasks-submit.ts';
import { tasksWatchCommand } from './tasks-watch.ts';
import type { Terminal } from './terminal.ts';

export function tasksCommand(terminal: Terminal): Command {
  return new Command('tasks')
    .description(
      'Submit, read, watch, cancel and retry tasks, beside the application that runs them.',
    )
    .addCommand(tasksSubmitCommand(terminal))
    .addCommand(tasksStatusCommand(terminal))
    .addCommand(tasksResultCommand(terminal))
    .addCommand(tasksListCommand(terminal))
    .addCommand(tasksWatchCommand(terminal))
    .addCommand(tasksCancelCommand(terminal))
    .addCommand(tasksRetryCommand(terminal));
}
