/**
 * Which workers run an integration: one for its official workflows, and one for each queue of its tasks. A queue belongs
 * to one worker, as steps are matched by queue alone. Tasks that name none share the manager's queue: beside an engine
 * of this process each integration has a worker there, whose steps have a queue of their own; on a server, which knows
 * nothing of workflow types, one worker runs them all.
 */
import type { AnyAsyncTask } from '../component/async-task-component.ts';
import type { HeldWorker, WorkerStatus } from './held-worker.ts';
import { OfficialWorker } from './official-worker.ts';
import type { Runnable } from './runnable.ts';
import { launchTasks } from './task-holder.ts';
import type { WorkerHome } from './worker-home.ts';

export interface WorkerPlan {
  readonly name: string;
  readonly kind: WorkerStatus['kind'];
  readonly taskQueue: string;
  readonly launch: () => Promise<HeldWorker>;
}

/** Without the tasks that share a worker with those of others (`sharedTasks`). */
export function plansOf(runnable: Runnable, home: WorkerHome): readonly WorkerPlan[] {
  const { name, official, workflows, activities } = runnable;
  const plans: WorkerPlan[] = [];
  if (official) {
    const worker = new OfficialWorker(official, home);
    const { taskQueue } = official;
    plans.push({ name, kind: 'workflows', taskQueue, launch: () => worker.launch() });
  }
  const byQueue = new Map<string, AnyAsyncTask[]>();
  for (const task of runnable.tasks) {
    if (task.taskQueue === '' && !home.isEmbedded) continue;
    byQueue.set(task.taskQueue, [...(byQueue.get(task.taskQueue) ?? []), task]);
  }
  const hasOwn = workflows.length > 0 || activities.length > 0;
  if (hasOwn && !byQueue.has(runnable.taskQueue)) byQueue.set(runnable.taskQueue, []);
  for (const [queue, tasks] of byQueue) {
    const taskQueue = queue || home.taskQueue;
    const own = hasOwn && queue === runnable.taskQueue;
    const work = {
      tasks: [...tasks, ...(own ? workflows : [])].map((item) => item.definition),
      activities: own ? activities : [],
      taskQueue,
      ...(queue === '' && { stepsApart: name }),
    };
    plans.push({ name, kind: 'tasks', taskQueue, launch: () => launchTasks(work, home) });
  }
  return plans;
}

/** Those that name no queue, where one worker must run those of all integrations. */
export function sharedTasks(runnable: Runnable, home: WorkerHome): readonly AnyAsyncTask[] {
  return home.isEmbedded ? [] : runnable.tasks.filter(({ taskQueue }) => taskQueue === '');
}

/** The worker of shared tasks, as they are when it starts; named as its queue. */
export function sharedPlan(tasks: () => readonly AnyAsyncTask[], home: WorkerHome): WorkerPlan {
  const { taskQueue } = home;
  return {
    name: taskQueue,
    kind: 'tasks',
    taskQueue,
    launch: () =>
      launchTasks({ tasks: tasks().map(({ definition }) => definition), taskQueue }, home),
  };
}
