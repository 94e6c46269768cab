/**
 * The heart: what one input does to one run.
 *
 * Pure and synchronous. It reads the clock and chance only from its environment, does no I/O, and does not change
 * the state it was given, unless told that nobody else holds it. Whoever calls it commits `state`, `events`, `tasks` and `outbox` together, guarded by
 * the run's version, or drops them all (EV-2).
 *
 * Read next: draft.ts (how a transition is built), then a family, such as activity.ts.
 */
import {
  cancelActivity,
  completeActivity,
  failActivity,
  heartbeatActivity,
  startActivity,
} from './activity.ts';
import {
  pauseActivity,
  resetActivity,
  unpauseActivity,
  updateActivityOptions,
} from './activity-control.ts';
import { batchListed, batchStepped, stopBatch } from './batch/batch.ts';
import { requestCancel } from './cancel.ts';
import { childClosed, childStarted, childStartFailed } from './child.ts';
import { terminate, terminateRun } from './close.ts';
import { Draft } from './draft.ts';
import type { CoreEnv } from './draft.ts';
import { externalCancelResolved, externalSignalResolved } from './external.ts';
import { encodeBatch } from './history-batch.ts';
import type { Answer, Input, InputKind, InputOf, Replies } from './input.ts';
import { InvariantViolation } from './invariant.ts';
import { pauseRun, unpauseRun } from './pause.ts';
import { updateRunOptions } from './run-options.ts';
import {
  deleteSchedule,
  patchSchedule,
  scheduledClosed,
  scheduledStarted,
  updateSchedule,
} from './schedule/schedule.ts';
import { settle } from './settle.ts';
import { signal } from './signal.ts';
import { keepsSpeculative } from './speculative-task.ts';
import { scheduleFirstWorkflowTask, startRun } from './start.ts';
import { isOpen } from './state.ts';
import type { RunState } from './state.ts';
import type { Transition } from './transition-result.ts';
import { admitUpdate } from './update-admission.ts';
import { processLost, wake } from './wake.ts';
import { completeWorkflowTask } from './workflow-task-completion.ts';
import { failWorkflowTask, limitBuffer } from './workflow-task-failure.ts';
import { clearStickiness, startWorkflowTask } from './workflow-task.ts';

export type { Transition } from './transition-result.ts';

type Handlers = {
  readonly [K in Exclude<InputKind, 'start'>]: (
    draft: Draft,
    input: InputOf<K>,
  ) => Answer<Replies[K]>;
};

/** One handler an input kind; a kind without one does not compile. A start has no run yet: see start.ts. */
const handlers: Handlers = {
  scheduleFirstWorkflowTask,
  startWorkflowTask,
  completeWorkflowTask,
  failWorkflowTask,
  startActivity,
  completeActivity,
  failActivity,
  cancelActivity,
  heartbeatActivity,
  pauseActivity,
  unpauseActivity,
  resetActivity,
  updateActivityOptions,
  updateRunOptions,
  pauseRun,
  unpauseRun,
  signal,
  admitUpdate,
  requestCancel,
  terminate,
  clearStickiness,
  wake,
  processLost,
  childStarted,
  childStartFailed,
  childClosed,
  externalSignalResolved,
  externalCancelResolved,
  updateSchedule,
  patchSchedule,
  deleteSchedule,
  scheduledStarted,
  scheduledClosed,
  batchListed,
  batchStepped,
  stopBatch,
};

/** They are refused before they write anything, and so may write in a state that is the caller's own. */
const startsTask: ReadonlySet<InputKind> = new Set(['startWorkflowTask', 'startActivity']);

/**
 * What `input` does to the run. `state` is undefined for a start and for nothing else.
 * Throws InvariantViolation for a bug of ours, never for what a caller may do: that is a refusal in `answer`.
 *
 * A caller who holds the only reference to `state`, because it came of an earlier transition of what will be one
 * commit, may give the state last `committed` as well: then `state` may be written in place.
 */
export function transition<K extends InputKind>(
  state: RunState | undefined,
  input: InputOf<K>,
  env: CoreEnv,
  committed?: RunState,
): Transition<Replies[K]>;
export function transition(
  state: RunState | undefined,
  input: Input,
  env: CoreEnv,
  committed?: RunState,
): Transition<Replies[InputKind]> {
  if (input.kind === 'start') {
    if (state) throw new InvariantViolation('a run is started once', { runId: state.runId });
    return startRun(input, env);
  }
  if (!state) throw new InvariantViolation('only a start makes a run', { input: input.kind });
  // TM-2: a clock that went back since the wake-up was decided does not make a deadline undue.
  const dueAt = input.kind === 'wake' ? (input.dueAt ?? 0) : 0;
  const inPlace = committed !== state && startsTask.has(input.kind);
  const draft = new Draft(
    state,
    dueAt > env.now ? { ...env, now: dueAt } : env,
    inPlace ? committed : undefined,
  );
  const handler = handlers[input.kind] as (
    draft: Draft,
    input: Input,
  ) => Answer<Replies[InputKind]>;
  const answer = handler(draft, input);
  if (draft.changed) {
    if (!keepsSpeculative.has(input.kind)) draft.writeSpeculative(); // WT-37
    keepWithinLimits(draft);
  }
  return settle(draft, answer);
}

/** The core as a value, for whoever puts something around it: a simulation counts rules there, and plants faults. */
export type TransitionFunction = typeof transition;

/** WT-35, and the end of a run whose history outgrew its limits (section 14). */
function keepWithinLimits(draft: Draft): void {
  const { state, env } = draft;
  if (!isOpen(state)) return;
  if (state.buffered.length > 0) limitBuffer(draft, () => encodeBatch(state.buffered).length);
  const tooManyEvents = state.nextEventId - 1 > env.limits.historyEventsMax;
  if (!tooManyEvents && state.historyBytes <= env.limits.historyBytesMax) return;
  const what = tooManyEvents ? 'count' : 'size';
  terminateRun(draft, {
    reason: `Workflow history ${what} exceeds limit.`,
    identity: 'history-service',
  });
}
