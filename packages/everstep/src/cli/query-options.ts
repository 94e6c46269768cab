/** Which tasks a command is about: the options that say so. */
import { Option, type Command } from 'commander';
import type { ListQuery } from '../tasks/list-tasks.ts';
import type { ListedState } from '../tasks/listed-tasks.ts';
import type { Terminal } from './terminal.ts';
import { pastTime } from './time-text.ts';

export interface QueryFlags {
  readonly name?: string;
  readonly status?: ListedState;
  readonly since?: string;
  readonly until?: string;
  readonly query?: string;
}

export function withQueryOptions(command: Command, states: readonly ListedState[]): Command {
  const time = 'a time such as 2026-05-01T08:00, or a span before now such as 2h';
  return command
    .option('--name <name>', 'only tasks of that name')
    .addOption(new Option('--status <status>', 'only tasks in that state').choices(states))
    .option('--since <time>', `created then or later: ${time}`)
    .option('--until <time>', 'created before')
    .addOption(
      new Option(
        '--query <query>',
        "a visibility query as it stands, such as \"WorkflowType = 'asyncTask_resize' AND Customer = 'acme'\"",
      ).conflicts(['name', 'status', 'since', 'until']),
    );
}

export function queryOf(flags: QueryFlags, terminal: Terminal): ListQuery | string {
  const { name = '*', status, since, until, query } = flags;
  if (query !== undefined) return query;
  const now = terminal.now();
  return {
    name,
    ...(status !== undefined && { status }),
    ...(since !== undefined && { since: pastTime('--since', since, now) }),
    ...(until !== undefined && { until: pastTime('--until', until, now) }),
  };
}
