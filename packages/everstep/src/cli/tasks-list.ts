/** `everstep tasks list` */
import { Command } from 'commander';
import type { TaskSummary } from '../tasks/listed-tasks.ts';
import { withHomeOptions, type HomeFlags } from './home-options.ts';
import { jsonText } from './json-text.ts';
import { countOption } from './option-values.ts';
import { queryOf, withQueryOptions, type QueryFlags } from './query-options.ts';
import { tableText } from './table.ts';
import { paint, type Terminal } from './terminal.ts';
import { timeText } from './time-text.ts';

interface ListFlags extends HomeFlags, QueryFlags {
  readonly limit: number;
  readonly json?: true;
}

const examples = `
Examples:
  everstep tasks list --status failed --since 12h
  everstep tasks list --name resize --limit 1000 --json | jq -r '.tasks[].taskId'

"running" is everything that has not ended; everstep tasks status tells pending and processing apart. The JSON is
{ tasks: [{ taskId, name, status, createdAt, completedAt? }], more }, more being true where the limit cut the list.
A --query is about runs: a task that was retried may come up more than once.`;

export function tasksListCommand(terminal: Terminal): Command {
  const command = new Command('list')
    .description('List tasks, newest first.')
    .option('--limit <count>', 'how many at most', countOption, 50)
    .option('--json', 'print { tasks, more } as JSON');
  withQueryOptions(command, ['running', 'completed', 'failed', 'cancelled']);
  return withHomeOptions(command)
    .addHelpText('after', examples)
    .action(async (flags: ListFlags) => {
      const query = queryOf(flags, terminal);
      const { atHome } = await import('./task-home.ts');
      await atHome(flags, terminal, async ({ tasks }) => {
        const found: TaskSummary[] = [];
        let more = false;
        for await (const task of tasks.list(query)) {
          more = found.length === flags.limit;
          if (more) break;
          found.push(task);
        }
        if (flags.json) terminal.out.write(jsonText({ tasks: found, more }));
        else show(terminal, found, more);
      });
    });
}

function show(terminal: Terminal, found: readonly TaskSummary[], more: boolean): void {
  if (found.length > 0) {
    const rows = found.map(({ taskId, name, status, createdAt, completedAt }) => [
      status,
      timeText(createdAt),
      completedAt === undefined ? '' : timeText(completedAt),
      name,
      taskId,
    ]);
    terminal.out.write(tableText([['STATUS', 'CREATED', 'ENDED', 'NAME', 'TASK'], ...rows]));
  }
  const count = found.length === 1 ? '1 task' : `${found.length} tasks`;
  const note = more ? `the newest ${count}; --limit shows more` : count;
  terminal.err.write(`${paint(terminal, terminal.err, 'dim', note)}\n`);
}
