/** Writes the rows of the comparison: for people a table, for programs one JSON line each. */
import { timesOf, type PeerRow } from './comparison.ts';

export interface PeerReporter {
  /** What stands above the rows; empty for none. */
  readonly head: string;
  line(row: PeerRow): string;
  skipped(engine: string, reason: string): string;
}

export const jsonPeerReporter: PeerReporter = {
  head: '',
  line: (row) => JSON.stringify(row),
  skipped: (engine, reason) => JSON.stringify({ engine, skipped: reason }),
};

interface Column {
  readonly title: string;
  readonly width: number;
  readonly text: (row: PeerRow) => string;
  readonly left?: true;
}

const columns: readonly Column[] = [
  { title: 'work', width: 17, left: true, text: ({ work }) => work },
  { title: 'engine', width: 28, left: true, text: ({ engine }) => engine },
  { title: 'n', width: 7, text: ({ n }) => grouped(n) },
  { title: 'tasks/s', width: 8, text: ({ perSecond }) => grouped(perSecond) },
  { title: 'steps/s', width: 8, text: ({ stepsPerSecond }) => grouped(stepsPerSecond) },
  { title: 'p50 ms', width: 8, text: ({ p50Ms }) => p50Ms?.toFixed(2) ?? '' },
  { title: 'p99 ms', width: 8, text: ({ p99Ms }) => p99Ms?.toFixed(2) ?? '' },
  { title: 'CPU ms', width: 7, text: cpu },
  { title: 'Everstep is', width: 12, text: timesOf },
];

export const tablePeerReporter: PeerReporter = {
  head: `${lineOf((column) => column.title)}\n${lineOf((column) => '-'.repeat(column.width))}`,
  line: (row) => lineOf((column) => column.text(row)),
  skipped: (engine, reason) => `skipped: ${engine}: ${reason}`,
};

function lineOf(text: (column: Column) => string): string {
  return columns
    .map((column) => {
      const cell = text(column);
      return column.left ? cell.padEnd(column.width) : cell.padStart(column.width);
    })
    .join('  ')
    .trimEnd();
}

function grouped(value: number | undefined): string {
  return value === undefined ? '' : Math.round(value).toLocaleString('en-US');
}

/** Not known of a server on a machine without /proc. */
function cpu({ cpuMsPerUnit }: PeerRow): string {
  return Number.isFinite(cpuMsPerUnit) ? cpuMsPerUnit.toFixed(3) : '';
}
