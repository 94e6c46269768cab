/** The works of the benchmark, on any engine: the same tasks, lanes, warm-up and checks, within a limit of time. */
import { expectEqual } from '../expectation.ts';
import { inLanes } from '../lanes.ts';
import { oneStepParams } from '../params.ts';
import { percentile } from '../percentile.ts';
import { lapOf } from '../stopwatch.ts';
import { warmUpOf } from '../works/work.ts';
import type { WorkName } from './contenders.ts';
import type { Engine } from './engines/engine.ts';

/** What a work found out. */
export interface PeerFigures {
  readonly n: number;
  readonly perSecond: number;
  readonly stepsPerSecond?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** CPU time of this process and of the server: for each step of five-step, for each task elsewhere. */
  readonly cpuMsPerUnit: number;
}

export interface MeasuredEngine {
  readonly engine: Engine;
  readonly n: number;
  cpuMs(): Promise<number>;
}

/** A slow peer does less of a work, so that all fit into minutes. */
const warmUpMsMax = 3_000;
const measuredMsMax = 10_000;

const steps = 5;

export async function measureWork(work: WorkName, measured: MeasuredEngine): Promise<PeerFigures> {
  switch (work) {
    case 'one-step':
      return oneStep(measured);
    case 'five-step':
      return fiveStep(measured);
    case 'one after another':
      return oneAfterAnother(measured);
  }
}

async function oneStep(measured: MeasuredEngine): Promise<PeerFigures> {
  const { n, seconds, cpuMs } = await manyAtOnce(measured, oneStepOn(measured.engine));
  return { n, perSecond: n / seconds, cpuMsPerUnit: cpuMs / n };
}

async function fiveStep(measured: MeasuredEngine): Promise<PeerFigures> {
  const { n, seconds, cpuMs } = await manyAtOnce(measured, async (number) => {
    const result = await measured.engine.fiveSteps?.({ number });
    expectEqual(result, number + steps, `the result of task ${number}`);
  });
  return {
    n,
    perSecond: n / seconds,
    stepsPerSecond: (n * steps) / seconds,
    cpuMsPerUnit: cpuMs / (n * steps),
  };
}

async function oneAfterAnother(measured: MeasuredEngine): Promise<PeerFigures> {
  const run = oneStepOn(measured.engine);
  await limited(warmUpOf(measured.n), warmUpMsMax, run);
  const latencies: number[] = [];
  const sequence = async (n: number, msMax: number): Promise<void> => {
    latencies.length = 0;
    const end = performance.now() + msMax;
    for (let before = performance.now(); latencies.length < n && before < end;) {
      await run(latencies.length);
      const after = performance.now();
      latencies.push(after - before);
      before = after;
    }
  };
  await sequence(Math.ceil(measured.n / 10), warmUpMsMax);
  const { seconds, cpuMs } = await lapOf(measured, () => sequence(measured.n, measuredMsMax));
  const n = latencies.length;
  return {
    n,
    perSecond: n / seconds,
    p50Ms: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
    cpuMsPerUnit: cpuMs / n,
  };
}

async function manyAtOnce(
  measured: MeasuredEngine,
  run: (number: number) => Promise<void>,
): Promise<{ readonly n: number; readonly seconds: number; readonly cpuMs: number }> {
  await limited(warmUpOf(measured.n), warmUpMsMax, run);
  let n = 0;
  const lap = await lapOf(measured, async () => {
    n = await limited(measured.n, measuredMsMax, run);
  });
  return { n, ...lap };
}

/** How many were done: none is begun after the time. */
async function limited(
  n: number,
  msMax: number,
  run: (number: number) => Promise<void>,
): Promise<number> {
  const end = performance.now() + msMax;
  let done = 0;
  await inLanes(n, async (number) => {
    if (performance.now() > end) return;
    await run(number);
    done += 1;
  });
  return done;
}

function oneStepOn(engine: Engine): (number: number) => Promise<void> {
  return async (number) => {
    const result = await engine.oneStep(oneStepParams(number));
    expectEqual(result, number + 1, `the result of task ${number}`);
  };
}
