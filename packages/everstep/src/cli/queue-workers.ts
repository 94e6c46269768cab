/** Who polls a queue, as the service knows it. */
import proto from '@temporalio/proto';
import type { TaskConnection } from '../tasks/async-task.ts';

const { TASK_QUEUE_TYPE_WORKFLOW } = proto.temporal.api.enums.v1.TaskQueueType;

/** The identities of the workers that take workflow tasks there. */
export async function workersOn(
  { client }: TaskConnection,
  name: string,
): Promise<readonly string[]> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name },
    taskQueueType: TASK_QUEUE_TYPE_WORKFLOW,
  });
  return (pollers ?? []).map(({ identity }) => identity ?? '');
}

/** What a worker names itself when nobody gave it a name, in words. */
export function workerText(identity: string): string {
  const [, pid, host] = /^(\d+)@(.+)$/.exec(identity) ?? [];
  return pid === undefined ? identity : `process ${pid} on ${host}`;
}
