/** Requests that only make sense while a task runs: cancel, terminate, a webhook. */
import { EverstepError } from '../service/error-codes.ts';
import { describeRun, isUnknownRun, type TaskClient } from './task-client.ts';
import { taskNotFound } from './task-reader.ts';

/**
 * The service answers NOT_FOUND for a task that is unknown and for one that has ended; here they are told apart.
 *
 * @throws EverstepError TASK_NOT_FOUND, TASK_ALREADY_ENDED.
 */
export async function whileRunning(
  task: TaskClient,
  taskId: string,
  request: () => Promise<unknown>,
): Promise<void> {
  try {
    await request();
  } catch (cause) {
    if (!isUnknownRun(cause)) throw cause;
    if ((await describeRun(task, taskId)) === undefined) throw taskNotFound(taskId, cause);
    throw new EverstepError(
      'TASK_ALREADY_ENDED',
      `Task ${taskId} has ended already; the request came too late and changed nothing.`,
      { taskId, cause },
    );
  }
}
