/** One line of the result. The README of this folder says how to read each figure. */
export interface Row {
  readonly engine: 'embedded';
  readonly store: StoreName;
  readonly work: string;
  /** Tasks, runs, or, of the idle row, seconds. */
  readonly n: number;
  /** Tasks in a second. */
  readonly perSecond?: number;
  readonly stepsPerSecond?: number;
  /** From submit to result, of one task. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Heap and external memory that a waiting task takes. */
  readonly bytesPerTask?: number;
  /** Questions to the database: for each step of the five-step rows, each second and process of idle ones, each task elsewhere. */
  readonly queriesPerUnit?: number;
  /** CPU time of all processes: a step of the five-step rows, a second of the idle rows, a task elsewhere. */
  readonly cpuMsPerUnit?: number;
}

export type StoreName = 'memory' | 'sqlite' | 'postgres';

/** What a work found out; the rest of its row is known before. */
export type Figures = Omit<Row, 'engine' | 'store' | 'work'> & {
  /** Which part of the work, where it has more than one row. */
  readonly part?: string;
};
