/** Limits of the engine around the core (section 14): pages, polls and waits. All are settings. */
export interface EngineLimits {
  readonly historyPageEvents: number;
  readonly listPageMax: number;
  readonly longPollMs: number;
  readonly longPollDeadlineMinMs: number;
  readonly historyLongPollMs: number;
  readonly waitingQueriesMax: number;
  /** Runs kept in memory. */
  readonly liveRunsMax: number;
  /** QY-2. */
  readonly queryTaskFailuresMax: number;
  /** Batch operations of a namespace that run at once. */
  readonly batchOperationsMax: number;
  /** Runs that one of them may do in a second, and that a request may name. */
  readonly batchOperationsPerSecond: number;
  readonly batchExecutionsMax: number;
  /** How long a worker is listed after its last heartbeat, and how many of a namespace. */
  readonly workerKeptMs: number;
  readonly workersMax: number;
}

export const defaultEngineLimits: EngineLimits = {
  historyPageEvents: 256,
  listPageMax: 1_000,
  longPollMs: 60_000,
  longPollDeadlineMinMs: 2_000,
  historyLongPollMs: 20_000,
  waitingQueriesMax: 100,
  liveRunsMax: 1_000,
  queryTaskFailuresMax: 3,
  batchOperationsMax: 1,
  batchOperationsPerSecond: 50,
  batchExecutionsMax: 1_000,
  workerKeptMs: 24 * 3_600_000,
  workersMax: 10_000,
};
