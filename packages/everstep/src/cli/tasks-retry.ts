/** `everstep tasks retry`: tasks by their ids, or all that a query finds, for the morning after an outage. */
import { Command } from 'commander';
import { EverstepError } from '../service/error-codes.ts';
import type { AsyncTask } from '../tasks/async-task.ts';
import { withHomeOptions, type HomeFlags } from './home-options.ts';
import { jsonText } from './json-text.ts';
import { countOption } from './option-values.ts';
import { exitCodes, problemOf } from './problem.ts';
import { queryOf, withQueryOptions, type QueryFlags } from './query-options.ts';
import { paint, type Terminal } from './terminal.ts';

interface RetryFlags extends HomeFlags, QueryFlags {
  readonly limit?: number;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

interface Outcome {
  /** Tasks that were meant. */
  readonly matched: number;
  readonly retried: string[];
  /** They run, or have completed: nothing to retry. */
  readonly skipped: string[];
  readonly failed: { readonly taskId: string; readonly code: string; readonly message: string }[];
}

const examples = `
Examples:
  everstep tasks retry order-7
  everstep tasks retry --status failed --since 12h --name resize --dry-run
  everstep tasks retry --status failed --since 12h --yes

A task goes on from its first unfinished step; what was completed stays. A query counts first and asks; without a
terminal it needs --yes. The JSON is { matched, retried, skipped, failed: [{ taskId, code, message }] }. skipped are
tasks of a query that run or have completed meanwhile. The exit code is 1 where one has failed to be retried.`;

const retriesAtOnce = 8;

export function tasksRetryCommand(terminal: Terminal): Command {
  const command = new Command('retry')
    .description('Let tasks that failed or were cancelled go on from their first unfinished step.')
    .argument('[taskIds...]', 'which; or a query in the options');
  withQueryOptions(command, ['failed', 'cancelled'])
    .option('--limit <count>', 'retry that many of the query at most', countOption)
    .option('--dry-run', 'say how many the query finds, and retry none')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print the outcome as JSON');
  return withHomeOptions(command)
    .addHelpText('after', examples)
    .action(async (taskIds: readonly string[], flags: RetryFlags) => {
      const byQuery = isQuery(flags);
      if (byQuery === taskIds.length > 0) {
        throw new RangeError(
          byQuery
            ? 'Task ids and a query are given; expected one of them.'
            : 'Nothing is named; expected task ids, or a query such as --status failed --since 12h.',
        );
      }
      if (byQuery && !flags.yes && !flags.dryRun && !terminal.canAsk) {
        throw new RangeError(
          'A query may retry many tasks, and there is no terminal to ask on: add --yes, or --dry-run to see how many.',
        );
      }
      const query = byQuery ? queryOf({ ...flags, ...defaultState(flags) }, terminal) : undefined;
      const { atHome } = await import('./task-home.ts');
      await atHome(flags, terminal, async ({ tasks }) => {
        const ids =
          query === undefined ? new Set(taskIds) : await matching(tasks, query, flags.limit);
        if (flags.dryRun) {
          const found = { matched: ids.size, taskIds: [...ids] };
          terminal.out.write(
            flags.json ? jsonText(found) : `${countText(ids.size)} would be retried\n`,
          );
          return;
        }
        if (query !== undefined && ids.size > 0 && !flags.yes) {
          const answer = await terminal.ask(`Retry ${countText(ids.size)}? [y/N] `);
          if (!/^y(es)?$/i.test(answer.trim())) {
            terminal.err.write('nothing was retried\n');
            terminal.exitCode = exitCodes.failure;
            return;
          }
        }
        const outcome = await retryAll(tasks, [...ids], query !== undefined, terminal);
        if (outcome.failed.length > 0) terminal.exitCode = exitCodes.failure;
        if (flags.json) terminal.out.write(jsonText(outcome));
        else show(terminal, outcome);
      });
    });
}

function isQuery({ name, status, since, until, query }: QueryFlags): boolean {
  return [name, status, since, until, query].some((value) => value !== undefined);
}

/** Without a state, the failed: whoever was cancelled was so on purpose. */
function defaultState({ status, query }: QueryFlags): QueryFlags {
  return query === undefined && status === undefined ? { status: 'failed' } : {};
}

async function matching(
  tasks: AsyncTask,
  query: ReturnType<typeof queryOf>,
  limit = Infinity,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const { taskId, status } of tasks.list(query)) {
    if (ids.size >= limit) break;
    if (status === 'failed' || status === 'cancelled') ids.add(taskId);
  }
  return ids;
}

async function retryAll(
  tasks: AsyncTask,
  ids: readonly string[],
  byQuery: boolean,
  terminal: Terminal,
): Promise<Outcome> {
  const outcome: Outcome = { matched: ids.length, retried: [], skipped: [], failed: [] };
  const waiting = ids.values();
  let done = 0;
  const lane = async (): Promise<void> => {
    for (const taskId of waiting) {
      if (terminal.stop.aborted) return;
      await retryOne(tasks, taskId, byQuery, outcome);
      done += 1;
      if (terminal.err.isTTY && ids.length > 1) {
        terminal.err.write(`\r${done} of ${ids.length}${done === ids.length ? '\n' : ''}`);
      }
    }
  };
  await Promise.all(Array.from({ length: retriesAtOnce }, lane));
  return outcome;
}

async function retryOne(
  tasks: AsyncTask,
  taskId: string,
  byQuery: boolean,
  outcome: Outcome,
): Promise<void> {
  try {
    await tasks.retry(taskId);
    outcome.retried.push(taskId);
  } catch (error) {
    if (byQuery && error instanceof EverstepError && error.code === 'TASK_NOT_RETRYABLE') {
      outcome.skipped.push(taskId);
      return;
    }
    const { code, message } = problemOf(error);
    outcome.failed.push({ taskId, code, message });
  }
}

function show(terminal: Terminal, { retried, skipped, failed }: Outcome): void {
  for (const { taskId, message } of failed) {
    const name = paint(terminal, terminal.err, 'red', 'everstep:');
    terminal.err.write(`${name} ${taskId} was not retried: ${message}\n`);
  }
  const left = skipped.length === 0 ? '' : `, ${skipped.length} left alone (running or completed)`;
  const bad = failed.length === 0 ? '' : `, ${failed.length} could not be retried`;
  terminal.out.write(`${countText(retried.length)} retried${left}${bad}\n`);
}

function countText(count: number): string {
  return count === 1 ? '1 task' : `${count} tasks`;
}
