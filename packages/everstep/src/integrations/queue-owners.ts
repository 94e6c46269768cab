/**
 * Whose each queue is. Steps are matched by queue alone, so two workers on one take each other's and fail them: a queue
 * is of one integration, domain or set of modules. Those that name none share the manager's, where they are kept apart.
 */
import { EverstepError } from '../service/error-codes.ts';

interface OnQueue {
  readonly taskQueue: string;
}

export class QueueOwners {
  /** By queue: the name of what runs there, and where that is. */
  readonly #owners = new Map<string, { readonly name: string; readonly path: string }>();

  /**
   * All of the queues, or none.
   *
   * @throws EverstepError DUPLICATE_NAME, naming both.
   */
  take(name: string, path: string, queues: Iterable<string>): void {
    const wanted = [...queues];
    for (const queue of wanted) {
      const owner = this.#owners.get(queue);
      if (owner === undefined || owner.name === name) continue;
      throw new EverstepError(
        'DUPLICATE_NAME',
        `"${name}" (${path}) has the queue "${queue}", which is that of "${owner.name}" (${owner.path}); their workers would take each other's work. Give each a queue of its own.`,
      );
    }
    for (const queue of wanted) this.#owners.set(queue, { name, path });
  }
}

/** The queues that a `Runnable` names. */
export function queuesOf({
  official,
  tasks,
  workflows = [],
  activities = [],
  taskQueue,
}: OnQueue & {
  readonly official?: OnQueue | undefined;
  readonly tasks: readonly OnQueue[];
  readonly workflows?: readonly OnQueue[];
  readonly activities?: readonly unknown[];
}): ReadonlySet<string> {
  const queues = new Set([...tasks, ...workflows].map((one) => one.taskQueue));
  if (official !== undefined) queues.add(official.taskQueue);
  if (workflows.length > 0 || activities.length > 0) queues.add(taskQueue);
  queues.delete('');
  return queues;
}
