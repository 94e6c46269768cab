/** Rows of the comparison, and how many times faster Everstep is than each. */
import type { Contender, WorkName } from './contenders.ts';
import type { PeerFigures } from './works.ts';

export interface PeerRow extends PeerFigures {
  readonly engine: string;
  readonly durable: boolean;
  readonly work: WorkName;
  /** Everstep's rate by this rate, or, one after another, this p50 by Everstep's. */
  readonly everstepTimes: number;
}

/** `ours` are Everstep's figures of the same work in the same run. */
export function rowOf(
  { title, durable }: Contender,
  work: WorkName,
  figures: PeerFigures,
  ours: PeerFigures,
): PeerRow {
  const everstepTimes =
    figures.p50Ms === undefined || ours.p50Ms === undefined
      ? ours.perSecond / figures.perSecond
      : figures.p50Ms / ours.p50Ms;
  const rounded = Object.entries({ ...figures, everstepTimes }).map(([name, value]) => [
    name,
    Number(value.toPrecision(4)),
  ]);
  return { engine: title, durable, work, ...Object.fromEntries(rounded) };
}

/** The closest peer of each kind, in words; empty when there is none. `rows` are the peers' rows of one work. */
export function summary(work: WorkName, rows: readonly PeerRow[]): string[] {
  return [true, false].flatMap((durable) => {
    const closest = rows
      .filter((row) => row.durable === durable)
      .toSorted((a, b) => a.everstepTimes - b.everstepTimes)[0];
    if (closest === undefined) return [];
    const kind = durable ? 'the best durable peer' : 'the best peer that is not durable';
    return work === 'one after another'
      ? [`${work}: the p50 of ${kind}, ${closest.engine}, is ${timesOf(closest)} Everstep's`]
      : [`${work}: Everstep's rate is ${timesOf(closest)} that of ${kind}, ${closest.engine}`];
  });
}

export function timesOf({ everstepTimes }: PeerRow): string {
  return `${everstepTimes.toFixed(2)} ×`;
}
