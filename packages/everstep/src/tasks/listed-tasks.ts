/**
 * The tasks of listed runs. A service lists runs, and a task that was retried has several: it is shown once, as its
 * newest run, with the start of its first. A row of a list does not say whether a newer run follows it, nor (on a
 * Temporal server) which was the first, so the run that the id stands for now is described.
 */
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { describeRun, type TaskClient } from './task-client.ts';
import { chainStart } from './task-reader.ts';

type RunRow = temporal.api.workflow.v1.IWorkflowExecutionInfo;

export type ListedState = 'running' | 'completed' | 'failed' | 'cancelled';

/** A task in a list: newest first; failed before timed out, cancelled before terminated, paused last. Times in epoch ms. */
export interface TaskSummary {
  readonly taskId: string;
  /** The task's name; the workflow type, where it is no task's. */
  readonly name: string;
  readonly status: ListedState;
  readonly createdAt: number;
  readonly completedAt?: number;
}

/** Which tasks are asked for; times in epoch ms, infinite where there is no bound. */
export interface WantedTasks {
  readonly status: ListedState | undefined;
  readonly since: number;
  readonly until: number;
}

export const typePrefix = 'asyncTask_';

/** Requests under way at once. */
const describedAtOnce = 20;

/** In the order of the rows. */
export async function listedTasks(
  client: TaskClient,
  rows: readonly RunRow[],
  wanted: WantedTasks,
): Promise<TaskSummary[]> {
  const tasks: TaskSummary[] = [];
  for (let at = 0; at < rows.length; at += describedAtOnce) {
    const some = rows.slice(at, at + describedAtOnce);
    for (const task of await Promise.all(some.map((row) => taskOf(client, row, wanted)))) {
      if (task !== undefined) tasks.push(task);
    }
  }
  return tasks;
}

/** Undefined: another row stands for the task, or it is none of those that are asked for. */
async function taskOf(
  client: TaskClient,
  row: RunRow,
  wanted: WantedTasks,
): Promise<TaskSummary | undefined> {
  const task = isOnlyRun(row) ? summaryOf(row) : await currentOf(client, row, wanted);
  if (task === undefined || (wanted.status !== undefined && task.status !== wanted.status)) {
    return undefined;
  }
  return task.createdAt >= wanted.since && task.createdAt < wanted.until ? task : undefined;
}

/** No run can follow one that runs. */
function isOnlyRun({ execution, firstRunId, status }: RunRow): boolean {
  return firstRunId === execution?.runId && !!firstRunId && listedState(status) === 'running';
}

async function currentOf(
  client: TaskClient,
  row: RunRow,
  { until }: WantedTasks,
): Promise<TaskSummary | undefined> {
  const taskId = row.execution?.workflowId ?? '';
  const description = await describeRun(client, taskId);
  const current = description?.workflowExecutionInfo;
  // It was deleted since.
  if (description === undefined || !current) return undefined;
  const startedAt = startOf(current);
  const runId = row.execution?.runId;
  // A task that was retried after `until` has no row for its newest run: its first run's stands for it.
  const stands =
    runId === current.execution?.runId || (startedAt >= until && runId === current.firstRunId);
  if (!stands) return undefined;
  return summaryOf(current, await chainStart(client, taskId, description, startedAt));
}

export function summaryOf(info: RunRow, createdAt = startOf(info)): TaskSummary {
  const type = info.type?.name ?? '';
  const completedAt = optionalTsToMs(info.closeTime) ?? 0;
  return {
    taskId: info.execution?.workflowId ?? '',
    name: type.startsWith(typePrefix) ? type.slice(typePrefix.length) : type,
    status: listedState(info.status),
    createdAt,
    ...(completedAt > 0 && { completedAt }),
  };
}

function startOf({ startTime }: RunRow): number {
  return optionalTsToMs(startTime) ?? 0;
}

const { WorkflowExecutionStatus } = proto.temporal.api.enums.v1;

function listedState(status: RunRow['status']): ListedState {
  switch (status) {
    case WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED:
      return 'completed';
    case WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED:
    case WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
      return 'failed';
    case WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED:
    case WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED:
      return 'cancelled';
    default:
      return 'running';
  }
}
