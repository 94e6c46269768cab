/** What the worker, its queries and its commands need of a run that is live here, whatever its code looks like. */
import type { RunDefinition, StepDescriptor } from './definition.ts';
import type { HistoryEvent, Journal } from './journal.ts';
import type { Outgoing } from './outgoing.ts';
import type { RunResult } from './run-result.ts';
import type { Updates } from './updates.ts';

/** What the run's first event says. */
export interface RunInfo {
  readonly firstExecutionRunId: string;
  readonly taskQueue: string;
  readonly createdAt: HistoryEvent['eventTime'];
}

export interface LiveRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly definition: RunDefinition;
  readonly journal: Journal;
  /** What goes out to other runs, and markers; of workflows with a context. */
  readonly outgoing?: Outgoing;
  /** Of workflows with a context. */
  readonly updates?: Updates;
  readonly info: RunInfo | undefined;
  /** The run by which idempotency keys are told apart. */
  readonly keyRunId: string;
  /** The started event id of the last workflow task whose events it has seen, and that left a trace (WT-26). */
  position: number;
  readonly result: RunResult | undefined;
  readonly broken: Error | undefined;
  /** It ended or broke down: nothing more is driven. */
  readonly stopped: boolean;
  /** The source line where the code waits, where that can be told. */
  readonly waitsAt: string | undefined;
  /**
   * Takes up new events: learns the keys of all, applies those up to that id. Undefined when the code waits already;
   * else resolves when it does. Never rejects: see `broken`.
   */
  drive(events: readonly HistoryEvent[], untilEventId: number): Promise<void> | undefined;
  /** The code awaits something that is no step, and has done so for that long. */
  breakDownStalled(ms: number): void;
  /** What to run for a step that the code waits for. */
  stepOf(activityId: string): StepDescriptor | undefined;
}
