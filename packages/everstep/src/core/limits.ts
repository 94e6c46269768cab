/** Every limit of the core, named in one place (section 14). All are settings; these are Temporal's defaults. */

export interface Limits {
  /** One payload field of a command or request: from here on it is refused, or ends the run (WT-20). */
  readonly payloadBytesMax: number;
  readonly payloadBytesWarn: number;
  readonly memoBytesMax: number;
  readonly searchAttributeKeysMax: number;
  readonly searchAttributeValueBytesMax: number;
  readonly searchAttributesBytesMax: number;
  /** Ids, types, queue names, signal and marker names, identities; in UTF-8 bytes. */
  readonly idBytesMax: number;
  readonly pendingActivitiesMax: number;
  readonly pendingChildrenMax: number;
  readonly pendingSignalsMax: number;
  readonly pendingCancelsMax: number;
  /** SG-2. */
  readonly signalsMax: number;
  /** UP-3. */
  readonly updatesInFlightMax: number;
  readonly updatesMax: number;
  /** UP-5. */
  readonly updateTaskFailuresMax: number;
  /** AC-12: what is kept of a failure that is retried. */
  readonly retriedFailureBytesMax: number;
  /** WT-10. */
  readonly suggestContinueAsNewBytes: number;
  readonly suggestContinueAsNewEvents: number;
  readonly historyBytesMax: number;
  readonly historyEventsMax: number;
  /** WT-35. */
  readonly bufferedEventsMax: number;
  readonly bufferedBytesMax: number;
  /** WT-2. */
  readonly workflowTaskTimeoutMs: number;
  readonly workflowTaskTimeoutMaxMs: number;
  readonly workflowTaskBackoffFromAttempt: number;
  readonly workflowTaskBackoffBaseMs: number;
  readonly workflowTaskBackoffMaxMs: number;
  /** WT-24. */
  readonly workflowTaskHeartbeatMaxMs: number;
  /** WT-38: events that a worker is shown again when the task they came with is dropped. */
  readonly shownAgainEventsMax: number;
  /** WT-32. */
  readonly workflowTaskProblemsReported: number;
  /** MS-5. */
  readonly resetPointsMax: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;

export const defaultLimits: Limits = {
  payloadBytesMax: 2 * MiB,
  payloadBytesWarn: 512 * KiB,
  memoBytesMax: 2 * MiB,
  searchAttributeKeysMax: 100,
  searchAttributeValueBytesMax: 2 * KiB,
  searchAttributesBytesMax: 40 * KiB,
  idBytesMax: 1_000,
  pendingActivitiesMax: 2_000,
  pendingChildrenMax: 2_000,
  pendingSignalsMax: 2_000,
  pendingCancelsMax: 2_000,
  signalsMax: 10_000,
  updatesInFlightMax: 10,
  updatesMax: 2_000,
  updateTaskFailuresMax: 3,
  retriedFailureBytesMax: 4 * KiB,
  suggestContinueAsNewBytes: 4 * MiB,
  suggestContinueAsNewEvents: 4_096,
  historyBytesMax: 50 * MiB,
  historyEventsMax: 51_200,
  bufferedEventsMax: 100,
  bufferedBytesMax: 2 * MiB,
  workflowTaskTimeoutMs: 10_000,
  workflowTaskTimeoutMaxMs: 120_000,
  workflowTaskBackoffFromAttempt: 4,
  workflowTaskBackoffBaseMs: 5_000,
  workflowTaskBackoffMaxMs: 600_000,
  workflowTaskHeartbeatMaxMs: 30 * 60_000,
  shownAgainEventsMax: 10,
  workflowTaskProblemsReported: 5,
  resetPointsMax: 20,
};
