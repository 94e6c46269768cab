/** What the words of a context need of the run they are put to. Implemented by context-run.ts. */
import type { CancelledFailure, LoadedDataConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import type { Logger } from '../service/logger.ts';
import type { CancellationScope } from './cancellation-scope.ts';
import type { Deferred } from './context-promise.ts';
import type { DecidingTask } from './deciding-task.ts';
import type { Journal } from './journal.ts';
import type { RunInfo } from './live-run.ts';
import type { Outgoing } from './outgoing.ts';
import type { PayloadReader } from './payload-reader.ts';
import type { NextRunRequest } from './run-result.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Handler, UpdateHandler } from './updates.ts';
import type { WorkflowDefinition } from './workflow.ts';

export interface ContextRunOptions {
  readonly namespace: string;
  readonly converter: LoadedDataConverter;
  readonly logger: Logger;
}

export interface ContextHost {
  readonly workflowId: string;
  readonly runId: string;
  readonly definition: WorkflowDefinition;
  readonly options: ContextRunOptions;
  readonly info: RunInfo | undefined;
  /** What the first event says. */
  readonly started: temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes;
  /** When the run was made, epoch ms. */
  readonly createdAt: number;
  /** The workflow task that takes up the event which is applied. */
  readonly task: DecidingTask;
  /** The event was taken up before; the code runs over it again. */
  readonly replaying: boolean;
  readonly stopped: boolean;
  readonly journal: Journal;
  readonly outgoing: Outgoing;
  readonly reader: PayloadReader;
  readonly random: SeededRandom;
  readonly queries: Map<string, Handler>;
  lastKey: string | undefined;

  /**
   * One question. `question` puts it, with whom to answer, and returns how it is given up.
   *
   * @param what For messages: `step "resize"`.
   */
  ask(
    what: string,
    scope: CancellationScope,
    shielded: boolean | undefined,
    question: (deferred: Deferred) => (error: CancelledFailure) => void,
  ): Promise<unknown>;
  /** A cancel of that scope is told, until it is settled. */
  own(
    scope: CancellationScope,
    deferred: Deferred,
    cancel: (error: CancelledFailure) => void,
  ): void;
  /** The code used its context in a way that cannot be: it waits for corrected code, and the run is unharmed. */
  refuse(error: unknown): void;
  /** What changes with each call is for the workflow's code alone. @throws TaskCodeError CONTEXT_MISUSED */
  expectCode(what: string): void;
  /** @throws TaskCodeError CONTEXT_MISUSED */
  expectNoQuery(what: string): void;
  /** The handler takes signals from now on; what it throws ends the run. */
  handleSignal(name: string, handler: Handler): void;
  /** Updates of that name go to the handler from now on. */
  handleUpdate(name: string, handler: UpdateHandler): void;
  /** Resolved once the predicate holds: asked at once, and after every event. */
  awaitCondition(deferred: Deferred, predicate: () => boolean): void;
  /** Tells the scope, and rejects what is awaited in it. What is asked while it is told is refused. */
  cancelScope(scope: CancellationScope, error: CancelledFailure): void;
  endContinued(next: NextRunRequest): void;
  /** 1 for the first of that kind. */
  nextNumber(kind: string): number;
}
