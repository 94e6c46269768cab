/** What was seen of the tasks from outside, through the web process, and when it was seen first. */
import type { TaskView } from './display.ts';
import type { Status, Submission } from './web-client.ts';

/** The steps of each kind of task, in stages: a stage starts when the one before it is completed. */
export const stages: Readonly<Record<Submission['kind'], readonly (readonly string[])[]>> = {
  process: [
    ['fetch'],
    ['enhance'],
    ['download'],
    ['thumbnail-64', 'thumbnail-128', 'thumbnail-256'],
    ['store'],
  ],
  probe: [['probe']],
};

export interface Observed extends Submission {
  readonly id: string;
  status: Status;
  /** Step key: when a status first showed it as completed, in epoch ms. */
  readonly completedAt: Map<string, number>;
}

export class Observations {
  readonly #tasks = new Map<string, Observed>();

  /** All tasks, in the order in which they were submitted. */
  get tasks(): readonly Observed[] {
    return [...this.#tasks.values()];
  }

  get open(): readonly Observed[] {
    return this.tasks.filter(
      ({ status }) => status.status === 'pending' || status.status === 'processing',
    );
  }

  get stepsCompleted(): number {
    return this.tasks.reduce((sum, task) => sum + task.completedAt.size, 0);
  }

  submitted(id: string, submission: Submission): void {
    this.#tasks.set(id, {
      id,
      ...submission,
      status: { status: 'pending' },
      completedAt: new Map(),
    });
  }

  /** Takes down a status that was received at `at`. A completed task has completed every step. */
  note(id: string, status: Status, at: number): void {
    const task = this.#tasks.get(id);
    if (task === undefined) return;
    task.status = status;
    const completed =
      status.status === 'completed' ? stages[task.kind].flat() : (status.completedSteps ?? []);
    for (const key of completed) {
      if (!task.completedAt.has(key)) task.completedAt.set(key, at);
    }
  }

  views(): TaskView[] {
    return this.tasks.map(({ id, kind, source, status, completedAt }) => ({
      id,
      title: `${kind === 'probe' ? 'probe ' : ''}${source}`,
      status: status.status,
      step: status.currentStep ?? '…',
      done: completedAt.size,
      steps: stages[kind].flat().length,
    }));
  }
}
