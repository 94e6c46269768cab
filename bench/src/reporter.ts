/** Writes rows as they come: for people a table, for programs one JSON line each. */
import type { Row } from './row.ts';

export interface Reporter {
  /** What stands above the rows; empty for none. */
  readonly head: string;
  line(row: Row): string;
}

export const jsonReporter: Reporter = { head: '', line: (row) => JSON.stringify(row) };

interface Column {
  readonly title: string;
  readonly width: number;
  readonly text: (row: Row) => string;
  readonly left?: true;
}

const columns: readonly Column[] = [
  { title: 'store', width: 8, left: true, text: (row) => row.store },
  { title: 'work', width: 36, left: true, text: (row) => row.work },
  { title: 'n', width: 9, text: (row) => grouped(row.n) },
  { title: 'tasks/s', width: 8, text: (row) => grouped(row.perSecond) },
  { title: 'steps/s', width: 8, text: (row) => grouped(row.stepsPerSecond) },
  { title: 'p50 ms', width: 7, text: (row) => fixed(row.p50Ms) },
  { title: 'p99 ms', width: 7, text: (row) => fixed(row.p99Ms) },
  { title: 'bytes/task', width: 10, text: (row) => grouped(row.bytesPerTask) },
  { title: 'queries', width: 7, text: (row) => row.queriesPerUnit?.toFixed(2) ?? '' },
  { title: 'CPU', width: 16, text: cpu },
];

export const tableReporter: Reporter = {
  head: `${lineOf((column) => column.title)}\n${lineOf((column) => '-'.repeat(column.width))}`,
  line: (row) => lineOf((column) => column.text(row)),
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

function cpu({ work, cpuMsPerUnit, stepsPerSecond }: Row): string {
  if (cpuMsPerUnit === undefined) return '';
  // A second of an idle component is 1000 ms.
  if (work.startsWith('idle')) return `${(cpuMsPerUnit / 10).toFixed(2)} %`;
  const unit = stepsPerSecond !== undefined ? 'step' : isOfUnits(work) ? 'unit' : 'task';
  return `${cpuMsPerUnit.toFixed(3)} ms/${unit}`;
}

function isOfUnits(work: string): boolean {
  return / alone|^write path/.test(work);
}

function grouped(value: number | undefined): string {
  return value === undefined ? '' : Math.round(value).toLocaleString('en-US');
}

function fixed(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(3);
}
