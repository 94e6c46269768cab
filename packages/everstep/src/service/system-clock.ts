/** The machine's clock and chance behind the ports of clock.ts: the one place where the world comes in. */
import { randomUUID } from 'node:crypto';
import type { Clock, Random } from './clock.ts';

/** setTimeout's longest: beyond it Node fires at once. */
const timerMsMax = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer: (ms, run) => {
    let left = ms;
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      const wait = Math.min(Math.max(left, 0), timerMsMax);
      left -= wait;
      handle = setTimeout(() => (left > 0 ? arm() : run()), wait);
      handle.unref();
    };
    arm();
    return { cancel: () => clearTimeout(handle) };
  },
  endOfTurn: (run) => {
    setImmediate(run);
  },
};

/** Timers of systemClock let a process end; this keeps it going until the answer is called. */
export function keepProcessAlive(): () => void {
  const timer = setInterval(() => undefined, timerMsMax);
  return () => clearInterval(timer);
}

export const systemRandom: Random = {
  next: () => Math.random(),
  uuid: () => randomUUID(),
};
