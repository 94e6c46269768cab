/** What a task is called and where it is run. */
import type { TaskConnection } from '../tasks/async-task.ts';
import { typePrefix } from '../tasks/listed-tasks.ts';
import { describeRun } from '../tasks/task-client.ts';
import type { TaskStatus } from '../tasks/task-status.ts';
import { workersOn } from './queue-workers.ts';

export interface TaskPlace {
  readonly name: string;
  readonly taskQueue: string;
  /** That poll the queue; of a task that has not ended. */
  readonly workers?: number;
}

export async function placeOf(
  connection: TaskConnection,
  { taskId, completedAt }: TaskStatus,
): Promise<TaskPlace> {
  const info = (await describeRun(connection, taskId))?.workflowExecutionInfo;
  const type = info?.type?.name ?? '';
  const name = type.startsWith(typePrefix) ? type.slice(typePrefix.length) : type;
  const taskQueue = info?.taskQueue ?? '';
  if (completedAt !== undefined || taskQueue === '') return { name, taskQueue };
  return { name, taskQueue, workers: (await workersOn(connection, taskQueue)).length };
}
