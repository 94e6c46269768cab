/** Time and chance as ports: nothing below the component asks the machine for either. */
import type { Random } from '../core/draft.ts';

export type { Random };

export interface Timer {
  /** After this the timer's function is not called. Calling it twice is harmless. */
  cancel(): void;
}

export interface Clock {
  /** Epoch milliseconds. May go back. */
  now(): number;
  /** Calls once after at least that many milliseconds. Does not keep the process alive. */
  setTimer(ms: number, run: () => void): Timer;
  /** Calls once when the promises that can settle without I/O have settled; before any timer. */
  endOfTurn(run: () => void): void;
}
