/** Which faults a seed draws, and how often they strike. Each seed has some kinds and lacks others. */
import type { Chance } from '../chance.ts';

export interface FaultPlan {
  /** For each commit: the process dies before it, in the middle of it, or after it and before its answer. */
  readonly crashBefore: number;
  readonly crashInside: number;
  readonly crashAfter: number;
  /** For each claim that gets rows: the process dies before it hears of them. */
  readonly crashInClaim: number;
  /** For each commit: written, and the answer is an error. */
  readonly replyLost: number;
  /** For each call of the store: not done, and the answer is an error. */
  readonly connectionLost: number;
  /** For each call: it takes seconds. */
  readonly slow: number;
  /** For each read of a run or a history: its row is found damaged, and stays so for a while. */
  readonly damaged: number;
  /** For each claim: rows that another process has are given out again; rows come in another order. */
  readonly claimedTwice: number;
  readonly reordered: number;
  readonly hintLost: number;
  readonly mailLost: number;
  /** Mean seconds between two of them in the whole world; 0 = never. */
  readonly killEveryS: number;
  readonly pauseEveryS: number;
  readonly clockJumpEveryS: number;
  readonly diskFullEveryS: number;
  readonly stopEveryS: number;
  /** The longest usual time of a call and of its answer, in ms; 0 = both in the turn of the call. */
  readonly latencyMs: number;
}

export const noFaults: FaultPlan = {
  crashBefore: 0,
  crashInside: 0,
  crashAfter: 0,
  crashInClaim: 0,
  replyLost: 0,
  connectionLost: 0,
  slow: 0,
  damaged: 0,
  claimedTwice: 0,
  reordered: 0,
  hintLost: 0,
  mailLost: 0,
  killEveryS: 0,
  pauseEveryS: 0,
  clockJumpEveryS: 0,
  diskFullEveryS: 0,
  stopEveryS: 0,
  latencyMs: 0,
};

export function drawFaults(chance: Chance): FaultPlan {
  const some = (often: number, value: () => number): number =>
    chance.next() < often ? value() : 0;
  const rate = (most: number) => (): number => most * chance.next();
  const seconds = (low: number, high: number) => (): number => chance.whole(low, high);
  // One world in twelve has no faults at all: what fails there is the simplest to read.
  const often = chance.next() < 1 / 12 ? 0 : 0.45;
  return {
    crashBefore: some(often, rate(0.03)),
    crashInside: some(often, rate(0.03)),
    crashAfter: some(often, rate(0.03)),
    crashInClaim: some(often, rate(0.03)),
    replyLost: some(often, rate(0.05)),
    connectionLost: some(often, rate(0.01)),
    slow: some(often, rate(0.01)),
    damaged: some(often * 0.6, rate(0.004)),
    claimedTwice: some(often, rate(0.3)),
    reordered: some(often, rate(0.5)),
    hintLost: some(often, rate(0.8)),
    mailLost: some(often, rate(0.5)),
    killEveryS: some(often, seconds(3, 30)),
    pauseEveryS: some(often, seconds(3, 30)),
    clockJumpEveryS: some(often * 0.5, seconds(4, 30)),
    diskFullEveryS: some(often * 0.6, seconds(4, 30)),
    stopEveryS: some(often, seconds(4, 30)),
    latencyMs: some(0.5, seconds(1, 20)),
  };
}
