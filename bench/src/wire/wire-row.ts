/** One line of the wire's result. */
export interface WireRow extends WireFigures {
  readonly server: string;
  readonly work: string;
}

export interface WireFigures {
  /** Workflows. */
  readonly n: number;
  readonly perSecond?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** CPU time of the server for each workflow; absent where the machine does not tell. */
  readonly serverCpuMs?: number;
}
