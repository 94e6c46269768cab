/**
 * A worker of the engine's own process, as the engine's suite needs one: it keeps to the LocalWorker interface
 * honestly, and its workflow code is a function of the history that it has seen.
 */
import type { Command, HistoryEvent } from '../src/core/proto.ts';
import type {
  ActivityTask,
  LocalWorker,
  LocalWorkerHost,
  StepSlot,
  WorkflowTask,
  WorkflowTaskOutcome,
} from '../src/service/local-worker.ts';
import { completeRun, step } from './command-kit.ts';
import { nameOf, payloadsOf } from './core-driver.ts';

/** What the code wants next, given everything that has happened. */
export type Code = (events: readonly HistoryEvent[]) => readonly Command[];

export interface FakeWorkerOptions {
  readonly code?: Code;
  readonly slots?: number;
  readonly types?: readonly string[];
  readonly activityTypes?: readonly string[];
}

interface HeldRun {
  readonly events: HistoryEvent[];
  upTo: number;
}

/** Steps one after another, then done. */
export function inSequence(steps: number): Code {
  return (events) => {
    const names = events.map(nameOf);
    const scheduled = names.filter((name) => name === 'ActivityTaskScheduled').length;
    const ended = names.filter((name) => /^ActivityTask(Completed|Failed|TimedOut)$/.test(name));
    if (ended.length < scheduled) return [];
    return scheduled < steps ? [step(`s${scheduled + 1}`)] : [completeRun()];
  };
}

export class FakeWorker implements LocalWorker {
  readonly namespace = 'default';
  readonly identity = 'fake-worker';
  readonly workflowTaskQueues = ['orders'];
  readonly activityTaskQueues = ['steps'];
  readonly started: ActivityTask[] = [];
  readonly interrupted: { readonly activityId: string; readonly reason: string }[] = [];
  readonly evicted: string[] = [];
  /** First event id of each drive. */
  readonly drivenFrom: number[] = [];
  slots: number;
  host: LocalWorkerHost | undefined;
  /** Called when a step would start. */
  onStart: ((task: ActivityTask) => void) | undefined;
  readonly #options: FakeWorkerOptions;
  readonly #held = new Map<string, HeldRun>();

  constructor(options: FakeWorkerOptions = {}) {
    this.#options = options;
    this.slots = options.slots ?? 10;
  }

  acceptsWorkflowTask(taskQueue: string, workflowType: string): boolean {
    const types = this.#options.types ?? ['Order'];
    return this.workflowTaskQueues.includes(taskQueue) && types.includes(workflowType);
  }

  workflowTypes(taskQueue: string): readonly string[] {
    return this.workflowTaskQueues.includes(taskQueue) ? (this.#options.types ?? ['Order']) : [];
  }

  heldUpTo(runId: string): number | undefined {
    return this.#held.get(runId)?.upTo;
  }

  driveWorkflowTask(task: WorkflowTask): Promise<WorkflowTaskOutcome> {
    const runId = task.workflowExecution?.runId ?? '';
    const news = task.history?.events ?? [];
    const first = Number(news[0]?.eventId ?? 0);
    const held = this.#held.get(runId);
    const run: HeldRun = held && first !== 1 ? held : { events: [], upTo: 0 };
    for (const event of news) run.events.push(event);
    if (task.query) {
      return Promise.resolve({
        kind: 'queryCompleted',
        request: { completedType: 1, queryResult: payloadsOf(run.events.length) },
      });
    }
    this.drivenFrom.push(first);
    run.upTo = Number(task.startedEventId);
    this.#held.set(runId, run);
    const commands = [...(this.#options.code ?? inSequence(5))(run.events)];
    const queryResults = Object.fromEntries(
      Object.keys(task.queries ?? {}).map((id) => [
        id,
        { resultType: 1, answer: payloadsOf(run.events.length) },
      ]),
    );
    return Promise.resolve({
      kind: 'completed',
      request: { commands, queryResults, identity: this.identity },
    });
  }

  freeWorkflowTaskSlots(): number {
    return 10;
  }

  freeStepSlots(): number {
    return this.slots;
  }

  reserveStep(taskQueue: string, activityType: string): StepSlot | undefined {
    const types = this.#options.activityTypes ?? ['Charge'];
    if (this.slots === 0 || !this.activityTaskQueues.includes(taskQueue)) return undefined;
    if (!types.includes(activityType)) return undefined;
    this.slots -= 1;
    return {
      release: () => {
        this.slots += 1;
      },
    };
  }

  startStep(_slot: StepSlot, task: ActivityTask): void {
    this.started.push(task);
    this.onStart?.(task);
  }

  interruptStep(interrupt: { readonly activityId: string; readonly reason: string }): void {
    this.interrupted.push(interrupt);
  }

  rewind(runId: string, from: number, to: number): void {
    const held = this.#held.get(runId);
    if (held?.upTo !== from) return;
    held.upTo = to;
    held.events.splice(held.events.findIndex(({ eventId }) => Number(eventId) > to));
  }

  evict(runId: string): void {
    this.evicted.push(runId);
    this.#held.delete(runId);
  }

  /** A step has ended, whatever came of it. */
  freeSlot(): void {
    this.slots += 1;
    this.host?.capacityChanged();
  }
}
