/**
 * Which workers run an integration: one for its official workflows, and one for each queue of its tasks. A queue belongs
 * to one worker, as steps are matched by queue alone. Tasks that name none share the manager's queue: beside an engine
 * of this process each integration has a worker there, whose steps have a queue of their own; on a server, which knows
 * nothing of workflow types, one worker runs them all.
 */
import type { AnyAsyncTask } from '../component/async-task-component.ts';
import type { AnyActivity } from '../tasks/activity.ts';
import type { AnyWorkflow } from '../tasks/workflow.ts';
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

/** Runs on the manager's queue with those of others. */
export interface SharedWork {
  readonly tasks: readonly (AnyAsyncTask | AnyWorkflow)[];
  readonly activities: readonly AnyActivity[];
}

/** Without the tasks that share a worker with those of others (`sharedWork`). */
export function plansOf(runnable: Runnable, home: WorkerHome): readonly WorkerPlan[] {
  const { name, official, workflows, activities } = runnable;
  const isPlain = runnable.taskQueue === '';
  const isShared = (queue: string): boolean => queue === '' && !home.isEmbedded;
  const plans: WorkerPlan[] = [];
  if (official) {
    const worker = new OfficialWorker(official, home);
    const { taskQueue } = official;
    plans.push({ name, kind: 'workflows', taskQueue, launch: () => worker.launch() });
  }
  const byQueue = new Map<string, (AnyAsyncTask | AnyWorkflow)[]>();
  for (const task of runnable.tasks) {
    if (isShared(task.taskQueue)) continue;
    byQueue.set(task.taskQueue, [...(byQueue.get(task.taskQueue) ?? []), task]);
  }
  const hasOwn = workflows.length > 0 || activities.length > 0;
  if (hasOwn && !isShared(runnable.taskQueue) && !byQueue.has(runnable.taskQueue)) {
    byQueue.set(runnable.taskQueue, []);
  }
  for (const [queue, tasks] of byQueue) {
    const taskQueue = queue || home.taskQueue;
    const own = isPlain || queue === runnable.taskQueue;
    const work = {
      tasks: [...tasks, ...(own ? workflows : [])].map((item) => item.definition),
      activities: own ? activities : [],
      taskQueue,
      // Plain modules are one source: their steps wait where those of a component do.
      ...(queue === '' && !isPlain && { stepsApart: name }),
    };
    plans.push({ name, kind: 'tasks', taskQueue, launch: () => launchTasks(work, home) });
  }
  return plans;
}

/** What names no queue, where one worker must run that of all; undefined where there is none. */
export function sharedWork(runnable: Runnable, home: WorkerHome): SharedWork | undefined {
  if (home.isEmbedded) return undefined;
  const tasks = runnable.tasks.filter(({ taskQueue }) => taskQueue === '');
  const activities = runnable.taskQueue === '' ? runnable.activities : [];
  return tasks.length + activities.length > 0 ? { tasks, activities } : undefined;
}

/** The worker of what is shared, as that is when it starts; named as its queue. */
export function sharedPlan(all: () => readonly SharedWork[], home: WorkerHome): WorkerPlan {
  const { taskQueue } = home;
  const launch = (): Promise<HeldWorker> => {
    const tasks = all().flatMap((work) => work.tasks.map(({ definition }) => definition));
    const activities = all().flatMap((work) => work.activities);
    return launchTasks({ tasks, activities, taskQueue }, home);
  };
  return { name: taskQueue, kind: 'tasks', taskQueue, launch };
}
