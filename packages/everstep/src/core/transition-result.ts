/** What a transition makes: the type every part of the core and whoever commits it share. */
import type { Answer, DispatchTask, Interrupt, OutboxMessage } from './input.ts';
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
