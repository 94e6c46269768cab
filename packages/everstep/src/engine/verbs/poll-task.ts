/** What both polls share: waiting for a row, and never leaving with a task in hand. */
import type { TaskRow } from '../../store/store.ts';
import { isServiceError } from '../../service/service-error.ts';
import type { EngineContext } from '../context.ts';
import type { LiveRun } from '../unit.ts';
import type { PollRequest, QueryTask } from '../matching.ts';
import type { Wait } from './wait.ts';

/**
 * Resolves with what `take` made of a row, or with an empty reply when the wait is over. `take` throws NOT_FOUND for
 * a task that is gone: its row went with it, and the poll goes on waiting.
 */
export function pollTask<Task extends object>(
  context: EngineContext,
  wait: Wait,
  request: PollRequest,
  take: (row: TaskRow, run: LiveRun) => Promise<Task | undefined>,
  queryTask?: (query: QueryTask) => Task,
): Promise<Task> {
  return new Promise((resolve) => {
    const { signal } = wait;
    const empty = {} as Task;
    let taking = false;
    const end = (): void => {
      // A task that is being started just now is worth the wait: it would be lost with this call.
      if (!taking) resolve(empty);
    };
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    context.matching.poll(
      {
        ...request,
        take: async (row, run) => {
          taking = true;
          try {
            const task = await take(row, run);
            if (task) resolve(task);
            return task !== undefined;
          } catch (error) {
            if (isServiceError(error, 'NOT_FOUND')) return false;
            throw error;
          } finally {
            taking = false;
            if (signal.aborted) end();
          }
        },
        ...(queryTask
          ? {
              takeQuery: (query: QueryTask) => {
                resolve(queryTask(query));
              },
            }
          : {}),
      },
      signal,
    );
  });
}
