/** What both polls share: waiting for a task, and never leaving with a task in hand. */
import type { Input } from '../../core/input.ts';
import type { TaskRow } from '../../store/store.ts';
import { isServiceError } from '../../service/service-error.ts';
import type { EngineContext } from '../context.ts';
import type { LiveRun } from '../unit.ts';
import type { PollRequest, QueryTask, Startable } from '../poller.ts';
import type { Wait } from './wait.ts';

export interface PollKind<Task> {
  readonly startOf: (task: Startable) => Input;
  /** The reply for a task that was started; undefined when it is gone again. */
  readonly messageOf: (run: LiveRun, task: Startable, reply: unknown) => Promise<Task | undefined>;
  readonly queryTask?: (query: QueryTask) => Task;
}

/**
 * Resolves with a task that was started for this call, in the commit that made it or from a row, or with an empty reply
 * when the wait is over. A task that is gone leaves the call waiting, and its row is used up.
 */
export function pollTask<Task extends object>(
  context: EngineContext,
  wait: Wait,
  request: PollRequest,
  { startOf, messageOf, queryTask }: PollKind<Task>,
): Promise<Task> {
  return new Promise((resolve) => {
    const { signal } = wait;
    const empty = {} as Task;
    let taking = false;
    const end = (): void => {
      // A task that is being started just now is worth the wait: it would be lost with this call.
      if (!taking) resolve(empty);
    };
    const letGo = (): void => {
      taking = false;
      if (signal.aborted) end();
    };
    const give = async (run: LiveRun, task: Startable, reply: unknown): Promise<boolean> => {
      try {
        const message = await messageOf(run, task, reply);
        if (message) resolve(message);
        return message !== undefined;
      } catch (error) {
        // Deleted while its history was read.
        if (isServiceError(error, 'NOT_FOUND')) return false;
        throw error;
      }
    };
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    context.matching.poll(
      {
        ...request,
        startOf,
        hold: () => {
          taking = true;
        },
        letGo,
        give,
        take: async (row: TaskRow, run) => {
          taking = true;
          try {
            const started = await context.executor.submitTo(run, startOf(row), {
              doneTask: row.taskId,
            });
            return await give(started.run, row, started.value);
          } catch (error) {
            if (isServiceError(error, 'NOT_FOUND')) return false;
            throw error;
          } finally {
            letGo();
          }
        },
        ...(queryTask && {
          takeQuery: (query: QueryTask) => {
            resolve(queryTask(query));
          },
        }),
      },
      signal,
    );
  });
}
