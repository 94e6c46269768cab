/**
 * Pull mode: rows that wait in the user's own system become tasks. They are fetched, each is started under an id of its
 * own, and its end is reported. The puller keeps nothing: until it is reported a row is fetched again, finds its task
 * by the id, finished or not, and is reported then. So it must never start a row under an id that another try would
 * not have, and never forget a row that it was given before it is reported, or the process ends.
 *
 * Read next: pulled-row.ts (the life of a row), pull-pace.ts and backlog-gate.ts (when the next fetch comes).
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from '../service/clock.ts';
import { EverstepError } from '../service/error-codes.ts';
import { systemClock } from '../service/system-clock.ts';
import { stderrLogger } from '../component/stderr-logger.ts';
import { checkedLogger } from '../component/component-options.ts';
import { parseDuration, shown, type Duration } from '../tasks/duration.ts';
import { checkedId } from '../tasks/submit-task.ts';
import { BacklogGate } from './backlog-gate.ts';
import { delayMs, pause, within } from './pull-call.ts';
import { PullPace } from './pull-pace.ts';
import { carryRow, rejected, type RowEnd, type RowLife } from './pulled-row.ts';
import { pullerSettings, type PullerSettings, type TaskPullerOptions } from './puller-options.ts';

/**
 * `paused`: the queue's backlog is at its limit, or as many rows as may be are under way. `backing-off`: fetching, or
 * asking for the backlog, fails and is tried again. `stopping`: rows that are being reported have their grace period.
 */
export type PullerState = 'created' | 'running' | 'paused' | 'backing-off' | 'stopping' | 'stopped';

/** What a puller does. Counts are since it was made. */
export interface PullerStatus {
  readonly name: string;
  readonly state: PullerState;
  /** Epoch milliseconds since when the state is that. */
  readonly since: number;
  /** Fetches that answered. */
  readonly fetches: number;
  /** Until the next fetch, while there is nothing that stands against it. */
  readonly intervalMs: number;
  /** Rows that are started, or are about to be, and not reported yet. */
  readonly underWay: number;
  /** Rows whose tasks were started, or found. */
  readonly started: number;
  readonly reported: number;
  /** Times that a row could not become a task. */
  readonly rejected: number;
  /** What waits in the task's queue, as last counted. */
  readonly backlog?: number;
  /** Calls that failed and were, or will be, tried again. */
  readonly failures: number;
  /** Of the last of them. */
  readonly lastError?: string;
}

const gracePeriodMs = 10_000;

/** Of one start, until its stop. */
interface Session {
  readonly following: AbortController;
  readonly reporting: AbortController;
  readonly loop: Promise<void>;
}

/**
 * Makes tasks of rows that wait in a system of the user's own, and reports their ends there.
 *
 * ```ts
 * const puller = new TaskPuller({
 *   name: 'invoices',
 *   task: sendInvoice,
 *   fetch: (limit) => db.invoices.waiting(limit),
 *   taskId: (row) => `invoice-${row.id}`,
 *   params: (row) => ({ id: row.id }),
 *   report: (row, status) => db.invoices.ended(row.id, status.status),
 * });
 * await puller.start();
 * ```
 */
// oxlint-disable-next-line typescript/no-explicit-any -- any input, as of AsyncTask
export class TaskPuller<TRow, TParams = unknown, TResult = unknown, TInput = any> {
  readonly #options: TaskPullerOptions<TRow, TParams, TResult, TInput>;
  readonly #settings: PullerSettings;
  readonly #clock: Clock;
  readonly #logger: RowLife<TRow, TParams, TResult, TInput>['logger'];
  readonly #pace: PullPace;
  readonly #gate: BacklogGate;
  /** By task id: rows under way, with what carries them. */
  readonly #underWay = new Map<string, Promise<void>>();
  /** Rejected rows by task id, and when they may be tried again. */
  readonly #rejectedUntil = new Map<string, number>();
  /** Rows without a usable id in the last fetch: they stand in the way of as many others. */
  #nameless = 0;
  /** Ids that were reported since the fetch that is under way began: its answer may be older than the report. */
  #reportedSince = new Set<string>();
  #roomMade: (() => void) | undefined;
  #state: PullerState = 'created';
  #since: number;
  #session: Session | undefined;
  #starting: Promise<void> | undefined;
  #counts = { fetches: 0, started: 0, reported: 0, rejected: 0, failures: 0 };
  #lastError: string | undefined;

  /** @throws EverstepError PULLER_OPTIONS_INVALID. */
  constructor(
    options: TaskPullerOptions<TRow, TParams, TResult, TInput>,
    clock: Clock = systemClock,
  ) {
    this.#settings = pullerSettings(options);
    this.#options = options;
    this.#clock = clock;
    this.#logger = checkedLogger(options.logger) ?? stderrLogger('warn');
    this.#since = clock.now();
    this.#pace = new PullPace(this.#settings.polling);
    this.#gate = new BacklogGate({
      clock,
      limit: this.#settings.backpressure,
      backlog: (signal) => this.#backlog(signal),
    });
  }

  /**
   * Fetches from now on. Of a puller that runs, nothing; one that was stopped starts again.
   *
   * @throws EverstepError TASK_NOT_CONNECTED when the task's component has not started; COMPONENT_STATE while it stops.
   */
  async start(): Promise<void> {
    if (this.#session?.following.signal.aborted) {
      throw new EverstepError(
        'COMPONENT_STATE',
        `start() of puller "${this.#options.name}" is refused while it stops; wait for stop().`,
      );
    }
    if (this.#session) return;
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    await this.#starting;
  }

  async #start(): Promise<void> {
    // Without a connection it is refused at once; whether the server answers is found out by the first fetch.
    const refused = this.#options.task.backlog().catch((error: unknown) => {
      if (error instanceof EverstepError && error.code === 'TASK_NOT_CONNECTED') throw error;
    });
    const asked = new Promise<void>((resolve) => this.#clock.endOfTurn(resolve));
    await Promise.race([refused, asked]);
    const following = new AbortController();
    const reporting = new AbortController();
    // Every row listens to them.
    for (const { signal } of [following, reporting]) setMaxListeners(0, signal);
    this.#session = { following, reporting, loop: this.#loop(following.signal, reporting.signal) };
  }

  /**
   * Fetches no more, and lets reports that are under way end within the grace period. Tasks go on; their rows are
   * fetched again by whoever starts next.
   *
   * @throws EverstepError PULLER_OPTIONS_INVALID for a grace period that cannot be.
   */
  async stop(options: { readonly gracePeriod?: Duration } = {}): Promise<void> {
    const grace = parseDuration(options.gracePeriod ?? gracePeriodMs, 0);
    if (grace.problem !== undefined) {
      throw new EverstepError(
        'PULLER_OPTIONS_INVALID',
        `TaskPuller.stop(): gracePeriod ${grace.problem}.`,
      );
    }
    await this.#starting?.catch(() => undefined);
    const session = this.#session;
    if (!session) return;
    this.#enter('stopping');
    session.following.abort();
    const timer = this.#clock.setTimer(grace.ms, () => session.reporting.abort());
    await session.loop;
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values());
    timer.cancel();
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#enter('stopped');
  }

  status(): PullerStatus {
    const backlog = this.#gate.count;
    return {
      name: this.#options.name,
      state: this.#state,
      since: this.#since,
      intervalMs: this.#pace.intervalMs,
      underWay: this.#underWay.size,
      ...this.#counts,
      ...(backlog !== undefined && { backlog }),
      ...(this.#lastError !== undefined && { lastError: this.#lastError }),
    };
  }

  async #loop(following: AbortSignal, reporting: AbortSignal): Promise<void> {
    const life = this.#lifeIn(following, reporting);
    let failures = 0;
    while (!following.aborted) {
      try {
        await this.#turn(life);
        failures = 0;
      } catch (error) {
        if (following.aborted) return;
        failures += 1;
        this.#enter('backing-off');
        this.#failed(error);
        const level = failures === 1 ? 'warn' : 'debug';
        this.#logger[level](`Puller "${this.#options.name}" could not fetch; it tries again`, {
          puller: this.#options.name,
          failures,
          error,
        });
        await pause(this.#clock, delayMs(this.#settings.retry, failures), following);
      }
    }
  }

  /** One fetch with the wait after it; or the wait for room. */
  async #turn(life: RowLife<TRow, TParams, TResult, TInput>): Promise<void> {
    const { polling, backpressure, maxUnderWay } = this.#settings;
    const places = maxUnderWay - this.#underWay.size;
    if (places <= 0) {
      this.#enter('paused');
      await this.#placeMade(life.following);
      return;
    }
    const room = await this.#gate.room(life.following);
    if (room <= 0) {
      this.#enter('paused');
      await pause(this.#clock, backpressure?.checkIntervalMs ?? 0, life.following);
      return;
    }
    const wanted = Math.min(polling.batchSize, places, room);
    const rows = await this.#fetch(wanted, life);
    if (life.following.aborted) return;
    this.#enter('running');
    this.#pace.fetched(await this.#take(rows, wanted, life));
    await pause(this.#clock, this.#pace.intervalMs, life.following);
  }

  async #fetch(
    wanted: number,
    life: RowLife<TRow, TParams, TResult, TInput>,
  ): Promise<readonly TRow[]> {
    const { claims, callTimeoutMs } = this.#settings;
    // A list shows rows again that are here already, or cannot be started.
    const again = claims ? 0 : this.#underWay.size + this.#rejectedUntil.size + this.#nameless;
    this.#reportedSince = new Set();
    const what = `fetch() of puller "${this.#options.name}"`;
    const rows: unknown = await within(
      this.#clock,
      what,
      callTimeoutMs,
      life.following,
      async (signal) => this.#options.fetch(wanted + again, signal),
    );
    if (!Array.isArray(rows)) {
      throw new EverstepError(
        'PULLER_OPTIONS_INVALID',
        `${what} gave ${shown(rows)}; expected a list of rows.`,
      );
    }
    this.#counts.fetches += 1;
    return rows as readonly TRow[];
  }

  /** How many of the rows were new. Resolves when each was tried to be started. */
  async #take(
    rows: readonly TRow[],
    wanted: number,
    life: RowLife<TRow, TParams, TResult, TInput>,
  ): Promise<number> {
    const tried: Promise<void>[] = [];
    const now = this.#clock.now();
    for (const [id, until] of this.#rejectedUntil) {
      if (until <= now) this.#rejectedUntil.delete(id);
    }
    this.#nameless = 0;
    for (const row of rows) {
      if (!this.#settings.claims && tried.length >= wanted) break;
      let taskId: string;
      try {
        taskId = checkedId(this.#options.taskId(row));
      } catch (cause) {
        this.#nameless += 1;
        this.#counts.rejected += 1;
        await rejected(
          life,
          row,
          cause instanceof Error ? cause : new TypeError(String(cause)),
          undefined,
        );
        continue;
      }
      if (this.#underWay.has(taskId) || this.#rejectedUntil.has(taskId)) continue;
      if (this.#reportedSince.has(taskId)) continue;
      this.#gate.started();
      tried.push(this.#carry(row, taskId, life));
    }
    await Promise.all(tried);
    return tried.length;
  }

  /** Resolves when its start was tried once; the rest goes on by itself. */
  async #carry(
    row: TRow,
    taskId: string,
    life: RowLife<TRow, TParams, TResult, TInput>,
  ): Promise<void> {
    await new Promise<void>((tried) => {
      const carried = carryRow(life, row, taskId, tried).then((end) => {
        this.#underWay.delete(taskId);
        this.#ended(taskId, end);
        tried();
      });
      this.#underWay.set(taskId, carried);
    });
  }

  #ended(taskId: string, end: RowEnd): void {
    if (end === 'reported') {
      this.#counts.reported += 1;
      this.#reportedSince.add(taskId);
    }
    if (end === 'rejected') {
      this.#counts.rejected += 1;
      this.#rejectedUntil.set(taskId, this.#clock.now() + this.#settings.retry.maxMs);
    }
    this.#roomMade?.();
  }

  async #placeMade(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const made = (): void => {
        this.#roomMade = undefined;
        signal.removeEventListener('abort', made);
        resolve();
      };
      this.#roomMade = made;
      signal.addEventListener('abort', made, { once: true });
    });
  }

  #backlog(signal: AbortSignal): Promise<number> {
    const { name, task } = this.#options;
    const what = `The backlog of puller "${name}"`;
    return within(this.#clock, what, this.#settings.callTimeoutMs, signal, () => task.backlog());
  }

  #lifeIn(following: AbortSignal, reporting: AbortSignal): RowLife<TRow, TParams, TResult, TInput> {
    return {
      options: this.#options,
      settings: this.#settings,
      clock: this.#clock,
      logger: this.#logger,
      following,
      reporting,
      onStarted: () => {
        this.#counts.started += 1;
      },
      onFailure: (error) => this.#failed(error),
    };
  }

  #failed(error: unknown): void {
    this.#counts.failures += 1;
    this.#lastError = error instanceof Error ? error.message : String(error);
  }

  #enter(state: PullerState): void {
    if (this.#state === state) return;
    if (this.#session?.following.signal.aborted && state !== 'stopping' && state !== 'stopped')
      return;
    this.#state = state;
    this.#since = this.#clock.now();
  }
}
