/** What every delivery of a message needs: the run that sent it, and an input to the run that it is for. */
import type { InputKind, InputOf } from '../core/input.ts';
import type { HistoryEvent } from '../core/proto.ts';
import type { RunState } from '../core/state.ts';
import { isServiceError } from '../service/service-error.ts';
import type { RunKey, Store } from '../store/store.ts';
import type { Executor } from './executor.ts';
import type { HistoryReader } from './history-reader.ts';
import type { LiveRun } from './unit.ts';

export class Messenger {
  readonly #store: Store;
  readonly #executor: Executor;
  readonly #history: HistoryReader;

  constructor(options: {
    readonly store: Store;
    readonly executor: Executor;
    readonly history: HistoryReader;
  }) {
    this.#store = options.store;
    this.#executor = options.executor;
    this.#history = options.history;
  }

  /** Sends an input to another run; one that is gone, closed, or refuses it needs it no more. */
  async send<K extends InputKind>(
    target: RunKey,
    input: InputOf<K>,
    outboxId: number,
  ): Promise<void> {
    if (!(await this.offer(target, input, outboxId))) await this.forget(outboxId);
  }

  /** As send, and the message stays when the run refuses: false. */
  async offer<K extends InputKind>(
    { namespaceId, workflowId, runId }: RunKey,
    input: InputOf<K>,
    outboxId: number,
  ): Promise<boolean> {
    const key = { namespaceId, workflowId, runId };
    try {
      await this.#executor.submit(key, input, { doneOutbox: outboxId });
      return true;
    } catch (error) {
      if (!isServiceError(error) || error.retryable) throw error;
      return false;
    }
  }

  /** What to ask before a message is acted on late: another delivery may have used it up. */
  async waits(run: LiveRun, outboxId: number): Promise<boolean> {
    if (run.ref === undefined) return false;
    const rows = await this.#store.outbox.ofRun({ ref: run.ref });
    return rows.some((row) => row.outboxId === outboxId);
  }

  async forget(outboxId: number): Promise<void> {
    await this.#store.outbox.delete({ outboxIds: [outboxId] });
  }

  async state(run: LiveRun): Promise<RunState | undefined> {
    return (await this.#live(run))?.latest;
  }

  async event(run: LiveRun, eventId: number): Promise<HistoryEvent> {
    const live = await this.#live(run);
    const event = live && (await this.#history.event(live, eventId));
    return event ?? {};
  }

  async #live(run: LiveRun): Promise<LiveRun | undefined> {
    return run.dropped ? this.#executor.locate(run.key) : run;
  }
}
