import { percentile } from '../percentile.ts';
import type { Figures } from '../row.ts';
import type { Lap } from '../stopwatch.ts';

/** Of a yardstick's units; `latencies` where each was waited for. */
export function unitFigures(
  part: string,
  n: number,
  { seconds, cpuMs }: Lap,
  latencies?: readonly number[],
): Figures {
  return {
    part,
    n,
    perSecond: n / seconds,
    ...(latencies && { p50Ms: percentile(latencies, 50), p99Ms: percentile(latencies, 99) }),
    cpuMsPerUnit: cpuMs / n,
  };
}
