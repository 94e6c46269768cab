/** Which attempts of steps the components of a test have run, to be held against the histories. */
import type { HistoryEvent } from '../../src/core/proto.ts';
import { numberOf } from '../../src/core/time.ts';
import type { StepWorld } from '../simulation/task-programs.ts';

export class StepLog {
  readonly scale: number;
  /** By task and step: what ran, as `<component> <attempt>`. */
  readonly #ran = new Map<string, string[]>();
  readonly #after: { readonly calls: number; readonly tell: () => void }[] = [];
  #tokens = 0;
  #calls = 0;

  constructor(scale: number) {
    this.scale = scale;
  }

  /** The steps of one component. */
  worldOf(component: string): StepWorld {
    return {
      scale: this.scale,
      wait: (ms, signal) => waited(ms * this.scale, signal),
      token: () => {
        this.#tokens += 1;
        return `step-${this.#tokens}`;
      },
      ran: (key, attempt, taskId) => {
        this.#note(`${taskId} ${key}`, `${component} ${attempt}`);
      },
    };
  }

  #note(step: string, run: string): void {
    const runs = this.#ran.get(step) ?? [];
    runs.push(run);
    this.#ran.set(step, runs);
    this.#calls += 1;
    for (const { calls, tell } of this.#after) if (calls === this.#calls) tell();
  }

  /** Resolves with that call of a step. */
  reached(calls: number): Promise<void> {
    return new Promise((tell) => this.#after.push({ calls, tell }));
  }

  /** A component runs an attempt once, and none after the one with which the history ends the step. */
  check(
    workflowId: string,
    events: readonly HistoryEvent[],
    complain: (what: string) => void,
  ): void {
    const keys = new Map<number, string>();
    const attempts = new Map<number, number>();
    for (const event of events) {
      const { activityId } = event.activityTaskScheduledEventAttributes ?? {};
      if (activityId) keys.set(numberOf(event.eventId), activityId);
      const started = event.activityTaskStartedEventAttributes;
      if (started) attempts.set(numberOf(started.scheduledEventId), started.attempt ?? 0);
      const done = event.activityTaskCompletedEventAttributes;
      if (!done) continue;
      const of = numberOf(done.scheduledEventId);
      const key = keys.get(of) ?? '';
      const runs = this.#ran.get(`${workflowId} ${key}`) ?? [];
      const most = Math.max(0, ...runs.map((run) => Number(run.split(' ')[1])));
      // A step of another kind than `step` is not noted.
      if (runs.length > 0 && most !== attempts.get(of)) {
        complain(`${key} completed in attempt ${attempts.get(of)}, and ran ${runs.join(', ')}`);
      }
    }
    for (const [step, runs] of this.#ran) {
      if (step.startsWith(`${workflowId} `) && new Set(runs).size < runs.length) {
        complain(`${step} ran ${runs.join(', ')}`);
      }
    }
  }
}

function waited(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
