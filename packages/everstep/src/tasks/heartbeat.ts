/**
 * A running step's heartbeats: `[details, progress]`, at most one every 200 ms or so, the last never lost while the
 * step runs. The answer tells of a cancel, or that nobody waits any more.
 */
import type { Payload } from '@temporalio/common';
import type { Clock, Timer } from '../service/clock.ts';

const intervalMsMax = 200;

export type HeartbeatAnswer = 'goOn' | 'cancelRequested' | 'gone';

export interface HeartbeatOptions {
  readonly clock: Clock;
  /** 0 for none. */
  readonly timeoutMs: number;
  /** Beat without being asked, so that a dead process is noticed. */
  readonly automatic: boolean;
  readonly encode: (value: unknown) => Payload;
  readonly send: (payloads: Payload[]) => Promise<HeartbeatAnswer>;
  readonly onAnswer: (answer: HeartbeatAnswer) => void;
  readonly onError: (error: unknown) => void;
  /** What that method was given became no payload. */
  readonly onUnreadable: (method: 'heartbeat' | 'progress', cause: unknown) => void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #intervalMs: number;
  #details: unknown;
  #progress: unknown;
  #hasProgress = false;
  #dirty = false;
  #sending = false;
  #ended = false;
  #nextAt = -Infinity;
  #timer: Timer | undefined;
  #automaticTimer: Timer | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    const { timeoutMs } = options;
    this.#intervalMs = timeoutMs > 0 ? Math.min(intervalMsMax, timeoutMs * 0.8) : intervalMsMax;
    if (options.automatic && timeoutMs > 0) this.#beatByItself(timeoutMs * 0.4);
  }

  beat(details: unknown): void {
    this.#details = details;
    this.#changed();
  }

  progress(value: unknown): void {
    this.#progress = value;
    this.#hasProgress = true;
    this.#changed();
  }

  /** The step has ended. Returns what was not sent, for a failure to carry. */
  end(): Payload[] | undefined {
    this.#ended = true;
    this.#timer?.cancel();
    this.#automaticTimer?.cancel();
    return this.#dirty ? this.#payloads() : undefined;
  }

  #beatByItself(everyMs: number): void {
    this.#automaticTimer = this.#options.clock.setTimer(everyMs, () => {
      this.#changed();
      if (!this.#ended) this.#beatByItself(everyMs);
    });
  }

  #changed(): void {
    if (this.#ended) return;
    this.#dirty = true;
    if (this.#sending || this.#timer) return;
    const waitMs = Math.min(this.#intervalMs, this.#nextAt - this.#options.clock.now());
    if (waitMs > 0) {
      this.#timer = this.#options.clock.setTimer(waitMs, () => {
        this.#timer = undefined;
        this.#send();
      });
      return;
    }
    this.#send();
  }

  #send(): void {
    const payloads = this.#payloads();
    this.#dirty = false;
    if (payloads === undefined) return;
    this.#sending = true;
    this.#nextAt = this.#options.clock.now() + this.#intervalMs;
    const sent = (): void => {
      this.#sending = false;
      if (this.#dirty) this.#changed();
    };
    this.#options.send(payloads).then(
      (answer) => {
        this.#options.onAnswer(answer);
        sent();
      },
      (error: unknown) => {
        this.#options.onError(error);
        sent();
      },
    );
  }

  #payloads(): Payload[] | undefined {
    const details = this.#encoded('heartbeat', this.#details);
    if (details === undefined || !this.#hasProgress) return details && [details];
    const progress = this.#encoded('progress', this.#progress);
    return progress && [details, progress];
  }

  #encoded(method: 'heartbeat' | 'progress', value: unknown): Payload | undefined {
    try {
      return this.#options.encode(value);
    } catch (cause) {
      this.#options.onUnreadable(method, cause);
      return undefined;
    }
  }
}
