/**
 * Keeps one worker running: starts it, starts it again when it ends unasked, after a wait that grows, and stops it.
 * Nothing that happens to it is thrown; it is told in the log and in status().
 */
import type { Clock, Timer } from '../service/clock.ts';
import { EverstepError, type ErrorCode } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import type { HeldWorker, WorkerStatus } from './held-worker.ts';
import { RestartBackoff, type RestartOptions } from './restart-backoff.ts';
import { nextState, type WorkerEvent, type WorkerState } from './worker-state.ts';

export interface SupervisedWorkerOptions {
  readonly name: string;
  readonly kind: WorkerStatus['kind'];
  readonly taskQueue: string;
  /** Rejects when it cannot start. */
  readonly launch: () => Promise<HeldWorker>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly restart: RestartOptions;
}

/** What starting again does not mend. */
const forGood: ReadonlySet<ErrorCode> = new Set([
  'COMPONENT_STATE',
  'DOMAIN_INVALID',
  'DUPLICATE_NAME',
  'INTEGRATION_INVALID',
  'MODULE_LOAD_FAILED',
  'WORKER_NOT_INSTALLED',
  'WORKFLOWS_NOT_BUNDLED',
]);

export class SupervisedWorker {
  readonly name: string;
  readonly #options: SupervisedWorkerOptions;
  readonly #backoff: RestartBackoff;
  #state: WorkerState = 'created';
  #since: number;
  #held: HeldWorker | undefined;
  #launching: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #wait: Timer | undefined;
  #lastError: unknown;
  #restarts = 0;

  constructor(options: SupervisedWorkerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#backoff = new RestartBackoff(options.restart);
    this.#since = options.clock.now();
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** What ended it last, or kept it from starting. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** Resolves when it runs, or its first try has failed. Of one that runs, nothing. */
  async start(): Promise<void> {
    if (this.#state === 'running') return;
    if (this.#state === 'draining') {
      throw new EverstepError(
        'COMPONENT_STATE',
        `start() of the worker "${this.name}" on ${this.#options.taskQueue} is refused while it drains; wait until its status is stopped.`,
      );
    }
    this.#wait?.cancel();
    await this.#launch();
  }

  /** Resolves when it has stopped, or the grace period is over and something of it still runs. */
  async stop(): Promise<void> {
    this.#wait?.cancel();
    const wasStarting = this.#state === 'starting';
    // One that starts is stopped as soon as it has.
    if (this.#apply('drain')) this.#stopping = wasStarting ? this.#launching : this.#stopHeld();
    await this.#stopping;
  }

  status(): readonly WorkerStatus[] {
    const held = this.#held;
    if (held?.workers !== undefined && this.#state === 'running') {
      return held.workers.map((worker) => ({
        ...worker,
        restarts: worker.restarts + this.#restarts,
        ...(worker.lastError === undefined && this.#told()),
      }));
    }
    const { name, kind, taskQueue } = this.#options;
    return [
      {
        name,
        kind,
        taskQueue,
        state: this.#state,
        since: this.#since,
        polls: held?.polls ?? 0,
        running: held?.running ?? 0,
        ...this.#told(),
        restarts: this.#restarts,
        pid: process.pid,
      },
    ];
  }

  #told(): { readonly lastError?: string } {
    return this.#lastError === undefined ? {} : { lastError: messageOf(this.#lastError) };
  }

  #launch(): Promise<void> {
    if (!this.#apply('start')) return this.#launching ?? Promise.resolve();
    this.#launching = this.#launchOnce();
    return this.#launching;
  }

  async #launchOnce(): Promise<void> {
    const { launch, clock, logger, taskQueue } = this.#options;
    let held: HeldWorker;
    try {
      held = await launch();
    } catch (error) {
      this.#lost(error, 0);
      return;
    }
    this.#held = held;
    const upAt = clock.now();
    held.ended.then(
      () => this.#gone('end'),
      (error: unknown) => this.#lost(error, clock.now() - upAt),
    );
    if (this.#apply('up')) {
      if (held.workers === undefined) {
        logger.info(`Worker ${this.name} takes work from ${taskQueue}`);
      }
      return;
    }
    await this.#stopHeld();
  }

  async #stopHeld(): Promise<void> {
    try {
      await this.#held?.stop();
    } catch (error) {
      this.#options.logger.warn(`Worker ${this.name} did not stop as it should`, { error });
    }
  }

  #gone(event: WorkerEvent): void {
    this.#held = undefined;
    this.#apply(event);
  }

  #lost(error: unknown, ranMs: number): void {
    const { clock, logger, taskQueue } = this.#options;
    this.#lastError = error;
    const isForGood = error instanceof EverstepError && forGood.has(error.code);
    this.#gone(isForGood ? 'refused' : 'lost');
    if (this.#state === 'failed') {
      logger.error(`Worker ${this.name} cannot start. ${messageOf(error)}`, { taskQueue });
    }
    if (this.#state !== 'backing-off') return;
    const delayMs = this.#backoff.delayAfter(ranMs);
    // Where one of our errors was made tells nobody anything.
    const [what, why] =
      error instanceof EverstepError ? [` ${error.message}`, {}] : ['', { error }];
    const fields = { taskQueue, delayMs, ...why };
    logger.error(`Worker ${this.name} ended; it is started again.${what}`, fields);
    this.#wait = clock.setTimer(delayMs, () => {
      this.#restarts += 1;
      void this.#launch();
    });
  }

  #apply(event: WorkerEvent): boolean {
    const state = nextState(this.#state, event);
    if (state === undefined) return false;
    this.#state = state;
    this.#since = this.#options.clock.now();
    return true;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
