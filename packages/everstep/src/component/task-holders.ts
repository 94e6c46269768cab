/**
 * Which started component a task or workflow speaks through: one at a time, since its handle (`submit`, `getStatus`,
 * `start`) has one engine behind it.
 */
import { EverstepError } from '../service/error-codes.ts';
import { AsyncTask } from '../tasks/async-task.ts';
import type { AnyWorkflow } from '../tasks/workflow.ts';

type Held = AsyncTask<never, unknown> | AnyWorkflow;

const holders = new WeakMap<Held, object>();

/** All of them or none. @throws EverstepError COMPONENT_STATE naming the one that another component has. */
export function holdTasks(tasks: readonly Held[], holder: object): void {
  for (const task of tasks) {
    const other = holders.get(task);
    if (other === undefined || other === holder) continue;
    const noun = task instanceof AsyncTask ? 'task' : 'workflow';
    throw new EverstepError(
      'COMPONENT_STATE',
      `start() is refused: the ${noun} "${task.getName()}" is registered on another AsyncTaskComponent of this process, which is started, and can speak through one component at a time. Register a copy of it here, made by its copy(), or stop the other component first.`,
    );
  }
  for (const task of tasks) holders.set(task, holder);
}

/** Those that are the holder's may be held by another again. */
export function releaseTasks(tasks: readonly Held[], holder: object): void {
  for (const task of tasks) if (holders.get(task) === holder) holders.delete(task);
}
