/** How much waits in a task's queues, as the service counts it. */
import proto from '@temporalio/proto';
import { EverstepError } from '../service/error-codes.ts';
import { stepQueue, type TaskDefinition } from './definition.ts';
import type { TaskClient } from './task-client.ts';

const { TaskQueueKind, TaskQueueType } = proto.temporal.api.enums.v1;
const { TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY } = TaskQueueType;

/**
 * Workflow tasks and steps together: a task with a limit has a queue of its own for its steps.
 *
 * @param ownQueue Of a task that names none.
 * @throws EverstepError SERVER_REFUSED
 */
export async function queueBacklog(
  task: TaskClient,
  definition: Pick<TaskDefinition, 'taskQueue' | 'workflowType' | 'limit'>,
  ownQueue: string,
): Promise<number> {
  const taskQueue = definition.taskQueue || ownQueue;
  const counts = await Promise.all([
    waitingIn(task, taskQueue, TASK_QUEUE_TYPE_WORKFLOW),
    waitingIn(task, stepQueue(definition, taskQueue), TASK_QUEUE_TYPE_ACTIVITY),
  ]);
  return counts.reduce((sum, count) => sum + count, 0);
}

async function waitingIn(
  { client }: TaskClient,
  name: string,
  taskQueueType: proto.temporal.api.enums.v1.TaskQueueType,
): Promise<number> {
  const { stats } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name, kind: TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
    taskQueueType,
    reportStats: true,
  });
  const count = stats?.approximateBacklogCount;
  if (count !== undefined && count !== null) return Number(count);
  throw new EverstepError(
    'SERVER_REFUSED',
    `The server does not say how much waits in the task queue "${name}" (DescribeTaskQueue has no approximateBacklogCount). Temporal servers do from 1.25 on.`,
  );
}
