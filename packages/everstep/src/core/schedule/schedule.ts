/**
 * What happens to a schedule (section 12). A schedule is a run without events: its whole life is the `schedule`
 * field of its state, so that commits, wake-ups, the outbox and the death of a process are those of any run.
 *
 * Whatever comes, the nominal times that are due are decided first, then the input is applied, then what waits is
 * started as far as the overlap policy lets it. Each nominal time is decided once, in order (invariant 21).
 */
import { accept, accepted, alreadyCompleted, refuse } from '../answer.ts';
import type { CoreEnv, Draft, Mutable } from '../draft.ts';
import type { Answer, InputOf } from '../input.ts';
import type { Memo, SearchAttributes } from '../proto.ts';
import { settle } from '../settle.ts';
import { isOpen } from '../state.ts';
import { systemRunDraft } from '../system-run.ts';
import { msOfTimestamp } from '../time.ts';
import type { Transition } from '../transition-result.ts';
import { closeOf } from './action-close.ts';
import { decideOverlap } from './overlap.ts';
import type { WirePatch } from './schedule-input.ts';
import { policiesOf, overlapPolicyOf } from './schedule-policies.ts';
import { compileSpec } from './schedule-spec.ts';
import type { ScheduleTime } from './schedule-spec.ts';
import type {
  BufferedStart,
  ScheduleState,
  StartingAction,
  WireSchedule,
} from './schedule-state.ts';
import { canTakeActions, decidedUpTo, remainingActions, seedOf } from './schedule-times.ts';
import { scheduleAttributes, scheduledWorkflowId } from './scheduled-start.ts';

/** Temporal's name for what a schedule runs as. */
const scheduleType = 'temporal-sys-scheduler-workflow';

const bufferMax = 1_000;
const recentMax = 10;
const requestIdsMax = 100;
/** So many times are looked at in one transition; the rest follows at once. */
const timesMax = 10_000;
/** So many starts are on their way at once; the rest follows when the word of these has come. */
const startsMax = 100;

type Schedule = Mutable<ScheduleState>;

export interface CreateScheduleArgs {
  /** Of the schedule itself, see engine/schedules.ts. */
  readonly namespaceId: string;
  readonly namespace: string;
  readonly workflowsNamespaceId: string;
  readonly scheduleId: string;
  readonly runId: string;
  readonly requestId: string;
  /** In canonical form. */
  readonly schedule: WireSchedule;
  readonly initialPatch?: WirePatch | null;
  readonly memo?: Memo | null;
  readonly searchAttributes?: SearchAttributes | null;
}

export function createSchedule(args: CreateScheduleArgs, env: CoreEnv): Transition<undefined> {
  const { namespaceId, namespace, runId, scheduleId, memo, searchAttributes } = args;
  const draft = systemRunDraft(
    {
      namespaceId,
      namespace,
      workflowId: scheduleId,
      runId,
      createRequestId: args.requestId,
      workflowType: scheduleType,
    },
    env,
  );
  const { state } = draft;
  if (memo) state.memo = memo;
  const s: Schedule = {
    namespaceId: args.workflowsNamespaceId,
    schedule: args.schedule,
    searchAttributes: searchAttributes ?? undefined,
    conflictToken: 1,
    createTime: env.now,
    updateTime: 0,
    processedTime: env.now,
    wakeAt: 0,
    nextActionId: 1,
    actionCount: 0,
    missedCatchupWindow: 0,
    overlapSkipped: 0,
    bufferDropped: 0,
    buffered: [],
    backfills: [],
    starting: [],
    running: [],
    recent: [],
    requestIds: [],
    lastCompletionResult: undefined,
    continuedFailure: undefined,
  };
  if (args.initialPatch) applyPatch(draft, s, args.initialPatch);
  go(draft, s);
  return settle(draft, accept(undefined));
}

/** A change to a schedule that is there: what is due first, then the change, then what follows from it. */
function change(draft: Draft, what: (s: Schedule) => Answer<undefined> | void): Answer<undefined> {
  const { schedule } = draft.state;
  if (!schedule || !isOpen(draft.state)) return alreadyCompleted();
  const s: Schedule = { ...schedule };
  takeDue(draft, s, startsMax);
  const answer = what(s);
  if (answer && !answer.ok) return answer;
  go(draft, s);
  return accepted;
}

/** The rest of every transition: starts what may start, and says when to come back. */
function go(draft: Draft, s: Schedule): void {
  drain(draft, s);
  takeBackfills(draft, s);
  s.wakeAt = nextWake(draft, s);
  const { state } = draft;
  const attributes = scheduleAttributes(s, state.searchAttributes);
  if (attributes !== state.searchAttributes) state.searchAttributes = attributes;
  state.schedule = s;
  draft.touch();
}

export function wakeSchedule(draft: Draft): void {
  change(draft, () => undefined);
}

export function updateSchedule(draft: Draft, input: InputOf<'updateSchedule'>): Answer<undefined> {
  return change(draft, (s) => {
    if (!isNewRequest(s, input.requestId)) return undefined;
    takeDue(draft, s, Infinity);
    if (input.conflictToken !== 0 && input.conflictToken !== s.conflictToken) {
      return refuse('FAILED_PRECONDITION', 'mismatched conflict token');
    }
    s.schedule = input.schedule;
    s.updateTime = draft.now;
    s.conflictToken += 1;
    // Times of the new spec count from now on; what was due by the old one has been decided.
    s.processedTime = Math.max(s.processedTime, decidedUpTo(draft.state.workflowId, s, draft.now));
    if (input.searchAttributes) s.searchAttributes = input.searchAttributes;
    if (input.memo) draft.state.memo = input.memo;
    return undefined;
  });
}

export function patchSchedule(draft: Draft, input: InputOf<'patchSchedule'>): Answer<undefined> {
  return change(draft, (s) => {
    if (!isNewRequest(s, input.requestId)) return;
    takeDue(draft, s, Infinity);
    applyPatch(draft, s, input.patch);
  });
}

/** The workflows it has started go on. */
export function deleteSchedule(draft: Draft): Answer<undefined> {
  const { state } = draft;
  if (!state.schedule || !isOpen(state)) return alreadyCompleted();
  state.status = 'terminated';
  state.closeTime = draft.now;
  draft.touch();
  return accepted;
}

export function scheduledStarted(
  draft: Draft,
  input: InputOf<'scheduledStarted'>,
): Answer<undefined> {
  return change(draft, (s) => {
    const action = s.starting.find(({ actionId }) => actionId === input.actionId);
    if (!action) return;
    if (input.runId !== undefined) {
      recordStarted(draft, s, action, input.runId);
    } else {
      s.starting = s.starting.filter((other) => other !== action);
      s.overlapSkipped += 1;
    }
  });
}

export function scheduledClosed(
  draft: Draft,
  input: InputOf<'scheduledClosed'>,
): Answer<undefined> {
  return change(draft, (s) => {
    // It may have ended before the word of its start came back.
    const starting = s.starting.find(({ actionId }) => actionId === input.actionId);
    if (starting) recordStarted(draft, s, starting, input.firstRunId);
    const isThis = ({ actionId }: { readonly actionId: number }): boolean =>
      actionId === input.actionId;
    const isAlone = s.running.some(isThis);
    const known =
      isAlone || s.recent.some((action) => isThis(action) && action.status === 'running');
    if (!known) return;
    const close = closeOf(input.closeEvent);
    s.running = s.running.filter((action) => !isThis(action));
    s.recent = s.recent.map((action) =>
      isThis(action) ? { ...action, status: close.status } : action,
    );
    if (isAlone) keepLast(s, close);
    pauseOnFailure(s, input.workflowId, close);
  });
}

/** For the next; what was started beside others is not the last before it. */
function keepLast(s: Schedule, { result, failure }: ReturnType<typeof closeOf>): void {
  if (result) {
    s.lastCompletionResult = result;
    s.continuedFailure = undefined;
  } else if (failure) {
    s.continuedFailure = failure;
  }
}

/** SC-6. */
function pauseOnFailure(
  s: Schedule,
  workflowId: string,
  { status, failure }: ReturnType<typeof closeOf>,
): void {
  if (!s.schedule.policies?.pauseOnFailure || s.schedule.state?.paused) return;
  if (status === 'failed') {
    const message = failure?.message ?? '';
    setPaused(s, true, `paused due to workflow failure: ${workflowId}: ${message}`);
  } else if (status === 'timedOut') {
    setPaused(s, true, `paused due to workflow timeout: ${workflowId}`);
  }
}

function setPaused(s: Schedule, paused: boolean, notes: string): void {
  s.schedule = { ...s.schedule, state: { ...s.schedule.state, paused, notes } };
  s.conflictToken += 1;
}

function isNewRequest(s: Schedule, requestId: string): boolean {
  if (requestId === '') return true;
  if (s.requestIds.includes(requestId)) return false;
  s.requestIds = [...s.requestIds, requestId].slice(-requestIdsMax);
  return true;
}

function recordStarted(draft: Draft, s: Schedule, action: StartingAction, runId: string): void {
  const { actionId, workflowId, actualTime, overlapping } = action;
  s.starting = s.starting.filter((other) => other !== action);
  s.actionCount += 1;
  const recent = {
    actionId,
    workflowId,
    runId,
    scheduleTime: actualTime,
    actualTime: draft.now,
    status: 'running' as const,
  };
  s.recent = [...s.recent, recent].slice(-recentMax);
  if (!overlapping) s.running = [...s.running, { actionId, workflowId, runId }];
}

/** SC-6, SC-7: a trigger and a backfill take place even while paused. */
function applyPatch(draft: Draft, s: Schedule, patch: WirePatch): void {
  const { triggerImmediately, backfillRequest, pause, unpause } = patch;
  if (triggerImmediately) {
    const time = triggerImmediately.scheduledTime
      ? msOfTimestamp(triggerImmediately.scheduledTime)
      : draft.now;
    addStart(s, {
      nominalTime: time,
      actualTime: time,
      overlapPolicy: overlapPolicyOf(triggerImmediately.overlapPolicy),
      manual: true,
    });
  }
  for (const { startTime, endTime, overlapPolicy } of backfillRequest ?? []) {
    s.backfills = [
      ...s.backfills,
      {
        // The range holds its first millisecond too.
        after: msOfTimestamp(startTime) - 1,
        end: msOfTimestamp(endTime),
        overlapPolicy: overlapPolicyOf(overlapPolicy),
      },
    ];
  }
  if (pause) setPaused(s, true, pause);
  if (unpause) setPaused(s, false, unpause);
}

function addStart(s: Schedule, start: BufferedStart): void {
  if (s.buffered.length >= bufferMax) s.bufferDropped += 1;
  else s.buffered = [...s.buffered, start];
}

function next(draft: Draft, s: Schedule, after: number): ScheduleTime | undefined {
  return compileSpec(s.schedule.spec ?? {}).nextTime(after, seedOf(draft.state.workflowId, s));
}

/**
 * Decides the nominal times that have come, as long as fewer starts than that are on their way. While none may be
 * taken they pass.
 */
function takeDue(draft: Draft, s: Schedule, startingMax: number): void {
  const { now } = draft;
  const { catchupWindowMs } = policiesOf(s.schedule);
  for (let looked = 0; looked < timesMax; looked += 1) {
    if (!canTakeActions(s)) {
      s.processedTime = Math.max(s.processedTime, decidedUpTo(draft.state.workflowId, s, now));
      return;
    }
    const time = next(draft, s, s.processedTime);
    if (!time || time.actual > now) return;
    if (s.starting.length >= startingMax) return;
    s.processedTime = time.nominal;
    if (now - time.actual > catchupWindowMs) {
      s.missedCatchupWindow += 1; // SC-3
      continue;
    }
    addStart(s, {
      nominalTime: time.nominal,
      actualTime: time.actual,
      overlapPolicy: 'ofSchedule',
      manual: false,
    });
    if (s.buffered.length >= startsMax) drain(draft, s);
  }
}

/** Goes on with backfills as long as there is room for what they bring. */
function takeBackfills(draft: Draft, s: Schedule): void {
  let looked = 0;
  while (mayBackfill(s) && looked < timesMax) {
    const [backfill, ...others] = s.backfills;
    if (!backfill) return;
    looked += 1;
    const time = next(draft, s, backfill.after);
    if (!time || time.nominal > backfill.end) {
      s.backfills = others;
    } else {
      s.backfills = [{ ...backfill, after: time.nominal }, ...others];
      const { overlapPolicy } = backfill;
      if (time.actual <= backfill.end) {
        const { nominal: nominalTime, actual: actualTime } = time;
        addStart(s, { nominalTime, actualTime, overlapPolicy, manual: true });
      }
    }
    if (s.backfills.length === 0 || s.buffered.length % startsMax === 0) drain(draft, s);
  }
  drain(draft, s);
}

function mayStart(s: Schedule): boolean {
  return s.starting.length < startsMax;
}

function mayBackfill(s: Schedule): boolean {
  return s.backfills.length > 0 && s.buffered.length < bufferMax / 2 && mayStart(s);
}

/** Starts, skips or keeps what waits. */
function drain(draft: Draft, s: Schedule): void {
  const { overlapPolicy } = policiesOf(s.schedule);
  for (let dropped = true; dropped && s.buffered.length > 0;) {
    dropped = false;
    const isRunning = s.running.length > 0 || s.starting.some(({ overlapping }) => !overlapping);
    const decision = decideOverlap(s.buffered, isRunning, overlapPolicy);
    s.buffered = decision.kept;
    s.overlapSkipped += decision.skipped;
    for (const start of decision.beside) dropped = !startAction(draft, s, start, true) || dropped;
    if (decision.alone) dropped = !startAction(draft, s, decision.alone, false) || dropped;
    if (decision.end) endRunning(draft, s, decision.end);
  }
}

/** False when it may not take place any more: paused meanwhile, or no action remains. */
function startAction(
  draft: Draft,
  s: Schedule,
  { nominalTime, actualTime, manual }: BufferedStart,
  overlapping: boolean,
): boolean {
  if (!manual) {
    if (!canTakeActions(s)) return false;
    useAction(s);
  }
  const actionId = s.nextActionId;
  s.nextActionId += 1;
  const workflowId = scheduledWorkflowId(s.schedule, nominalTime);
  const action = { actionId, workflowId, nominalTime, actualTime, overlapping };
  s.starting = [...s.starting, action];
  draft.outbox.push({ kind: 'startScheduled', actionId });
  return true;
}

function useAction(s: Schedule): void {
  if (!s.schedule.state?.limitedActions) return;
  const state = { ...s.schedule.state, remainingActions: remainingActions(s, -1) };
  s.schedule = { ...s.schedule, state };
  s.conflictToken += 1;
}

/** Once each, but for a terminate that follows a cancel. */
function endRunning(draft: Draft, s: Schedule, how: 'cancel' | 'terminate'): void {
  s.running = s.running.map((action) => {
    if (action.ending === how || action.ending === 'terminate') return action;
    const { actionId, workflowId } = action;
    draft.outbox.push({ kind: 'endScheduled', actionId, workflowId, how });
    return { ...action, ending: how };
  });
}

function nextWake(draft: Draft, s: Schedule): number {
  if (!mayStart(s)) return 0;
  if (mayBackfill(s)) return draft.now;
  if (!canTakeActions(s)) return 0;
  return next(draft, s, s.processedTime)?.actual ?? 0;
}
