/** The own queues of a script's workers on one target, by workflow: whether tasks go there, and that they are polled. */
import { call, type Target } from './target.ts';
import type { WorkflowView } from './view.ts';
import { seconds, type Names } from './wire-command.ts';

const namespace = 'default';
/** A worker's own queue is only used while a worker polls it, which the server forgets after 10 s. */
const againMs = 2_000;
/** How long such a poll is given to be there before it is taken back. */
const leadMs = 300;
const pollMs = 15_000;
/** Longer than any script. */
const scheduleToStartSeconds = 500;

export class StickyQueues {
  readonly #target: Target;
  readonly #names: Names;
  /** When the queue was polled last, as long as tasks are to go there. */
  readonly #polledAt: (number | undefined)[] = [];

  constructor(target: Target, names: Names) {
    this.#target = target;
    this.#names = names;
  }

  /** Tasks go there, as far as the worker knows. */
  isSet(workflow: number): boolean {
    return this.#polledAt[workflow] !== undefined;
  }

  /** Where the next task or query comes. */
  isUsed(workflow: number, view: WorkflowView): boolean {
    return view.task === 'SCHEDULED' ? view.onSticky : view.open && this.isSet(workflow);
  }

  clear(workflow: number): void {
    this.#polledAt[workflow] = undefined;
  }

  pollRequest(workflow: number, sticky: boolean) {
    const normalName = this.#names.workflowQueue(workflow);
    const taskQueue = sticky
      ? { name: this.#names.stickyQueue(workflow), kind: 2, normalName }
      : { name: normalName, kind: 1 };
    return { namespace, taskQueue, identity: 'worker' };
  }

  /** Of a completion that sets it. */
  attributes(workflow: number) {
    return {
      stickyAttributes: {
        workerTaskQueue: this.pollRequest(workflow, true).taskQueue,
        scheduleToStartTimeout: seconds(scheduleToStartSeconds),
      },
    };
  }

  async stayPolled(views: readonly WorkflowView[]): Promise<void> {
    for (const [workflow, polledAt] of this.#polledAt.entries()) {
      if (polledAt === undefined || Date.now() - polledAt < againMs) continue;
      if (views[workflow]?.task !== 'SCHEDULED') await this.set(workflow);
    }
  }

  /** Polls the queue while there is nothing in it, and takes the poll back. */
  async set(workflow: number): Promise<void> {
    const stop = new AbortController();
    const polled = this.#target.connection.withAbortSignal(stop.signal, () =>
      call(this.#target, 'pollWorkflowTaskQueue', this.pollRequest(workflow, true), pollMs),
    );
    await new Promise((resolve) => setTimeout(resolve, leadMs));
    stop.abort();
    await polled;
    this.#polledAt[workflow] = Date.now();
  }
}
