/**
 * The heart: what one input does to one run.
 *
 * Pure and synchronous. It reads the clock and chance only from its environment, does no I/O, and never changes
 * the state it was given. Whoever calls it commits `state`, `events`, `tasks` and `outbox` together, guarded by
 * the run's version, or drops them all (EV-2).
 *
 * Read next: draft.ts (how a transition is built), then a family, such as activity.ts.
 */
import type { Answer, DispatchTask, InputOf, InputKind, Interrupt, OutboxMessage, Replies } from './input.ts';
import type { CoreEnv } from './draft.ts';
import type { HistoryEvent } from './proto.ts';
import type { RunState } from './state.ts';

/** What one input did: all of it is one commit. */
export interface Transition<R> {
  /** The very object passed in when nothing changed. */
  readonly state: RunState;
  readonly changed: boolean;
  readonly events: readonly HistoryEvent[];
  readonly tasks: readonly DispatchTask[];
  readonly outbox: readonly OutboxMessage[];
  readonly interrupts: readonly Interrupt[];
  /** The run that continues the chain or comes of a reset: created in the same commit (CN-1, CN-2, CN-3). */
  readonly nextRun?: Transition<{ readonly runId: string }>;
  /** A refusal may come with changes: bad command attributes fail the task and tell the worker (WT-19). */
  readonly answer: Answer<R>;
}

export declare function transition<K extends InputKind>(
  state: RunState | undefined,
  input: InputOf<K>,
  env: CoreEnv,
): Transition<Replies[K]>;
