/** Tasks that nobody works on: of types and in queues without a worker. */
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import type { TaskConnection } from '../tasks/async-task.ts';
import { typePrefix } from '../tasks/listed-tasks.ts';
import { describeRun } from '../tasks/task-client.ts';
import type { Check } from './doctor-check.ts';
import { workersOn, workerText } from './queue-workers.ts';
import { spanShort } from './time-text.ts';

/** Open tasks that are looked at. */
const tasksMax = 10_000;
const pageSize = 1_000;
/** A worker that knows the type has begun by then, unless it is busy. */
const waitMs = 10_000;

const { PendingWorkflowTaskState } = proto.temporal.api.enums.v1;

interface OpenTasks {
  readonly type: string;
  readonly taskQueue: string;
  count: number;
  /** Lists are newest first. */
  oldest: { readonly workflowId: string; readonly runId: string; readonly startedAt: number };
}

export async function waitingChecks(connection: TaskConnection, now: number): Promise<Check[]> {
  const { groups, count, more } = await openTasks(connection);
  const pollers = new Map<string, readonly string[]>();
  for (const { taskQueue } of groups) {
    if (!pollers.has(taskQueue)) pollers.set(taskQueue, await workersOn(connection, taskQueue));
  }
  const checks: Check[] = [];
  for (const group of groups) {
    const check = await waitingCheck(connection, group, pollers.get(group.taskQueue) ?? [], now);
    if (check !== undefined) checks.push(check);
  }
  const workers = new Set([...pollers.values()].flat());
  const cut = more
    ? `the newest ${count} open tasks looked at`
    : `${count} open ${count === 1 ? 'task' : 'tasks'}`;
  const seen =
    workers.size === 0
      ? 'no worker on their queues'
      : `workers: ${[...workers].map(workerText).join(', ')}`;
  const message = count === 0 ? 'no open tasks' : `${cut}, ${seen}`;
  return [{ name: 'tasks', state: 'ok', message }, ...checks];
}

async function openTasks({ client }: TaskConnection) {
  const groups = new Map<string, OpenTasks>();
  let count = 0;
  let nextPageToken: Uint8Array = new Uint8Array();
  do {
    const page = await client.workflowService.listWorkflowExecutions({
      namespace: client.options.namespace,
      query: "ExecutionStatus = 'Running'",
      pageSize,
      nextPageToken,
    });
    for (const run of page.executions) add(groups, run);
    count += page.executions.length;
    nextPageToken = page.nextPageToken;
  } while (nextPageToken.length > 0 && count < tasksMax);
  return { groups: [...groups.values()], count, more: nextPageToken.length > 0 };
}

function add(
  groups: Map<string, OpenTasks>,
  { type, taskQueue = '', execution, startTime }: temporal.api.workflow.v1.IWorkflowExecutionInfo,
): void {
  const name = type?.name ?? '';
  const oldest = {
    workflowId: execution?.workflowId ?? '',
    runId: execution?.runId ?? '',
    startedAt: optionalTsToMs(startTime) ?? 0,
  };
  const key = JSON.stringify([name, taskQueue]);
  const group = groups.get(key);
  if (group === undefined) {
    groups.set(key, { type: name, taskQueue: taskQueue ?? '', count: 1, oldest });
  } else {
    group.count += 1;
    group.oldest = oldest;
  }
}

async function waitingCheck(
  connection: TaskConnection,
  { type, taskQueue, count, oldest }: OpenTasks,
  workers: readonly string[],
  now: number,
): Promise<Check | undefined> {
  const name = type.startsWith(typePrefix)
    ? `task "${type.slice(typePrefix.length)}"`
    : `"${type}"`;
  const what = `${count} of ${name} on the queue "${taskQueue}"`;
  const since = `the oldest since ${spanShort(now - oldest.startedAt)} (${oldest.workflowId})`;
  if (workers.length === 0) {
    return {
      name: 'waiting',
      state: 'warn',
      message: `${what} are open, ${since}, and no worker polls that queue`,
      fix: 'start a process that registers it on that queue',
    };
  }
  const described = await describeRun(connection, oldest.workflowId, oldest.runId);
  const pending = described?.pendingWorkflowTask;
  const scheduled = optionalTsToMs(pending?.scheduledTime) ?? now;
  const waits =
    pending?.state === PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED &&
    now - scheduled >= waitMs;
  const fails = (pending?.attempt ?? 1) > 1;
  if (!waits && !fails) return undefined;
  return {
    name: 'waiting',
    state: 'warn',
    message: `${what} are open, ${since}; workers poll that queue, and ${fails ? `fail to go on with it (attempt ${pending?.attempt})` : `none has taken it up for ${spanShort(now - scheduled)}`}`,
    fix: `register ${name} in one of them, under the same name; everstep tasks status ${oldest.workflowId} says more`,
  };
}
