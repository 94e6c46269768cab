/** Planted bugs around the core: what a transition could do wrong, put into its input or its result. */
import type { CoreEnv } from '../../src/core/draft.ts';
import type { Input } from '../../src/core/input.ts';
import { EventType } from '../../src/core/proto.ts';
import { activityById } from '../../src/core/state.ts';
import type { ActivityInfo, RunState } from '../../src/core/state.ts';
import type { Transition, TransitionFunction } from '../../src/core/transition.ts';
import type { PlantedBug } from './planted-bug.ts';

type Core = (state: RunState | undefined, input: Input, env: CoreEnv) => Transition<unknown>;

function around(change: (core: Core) => Core): NonNullable<PlantedBug['core']> {
  return (core) => change(core as unknown as Core) as unknown as TransitionFunction;
}

/** The same transition with another state. */
function withState(result: Transition<unknown>, change: Partial<RunState>): Transition<unknown> {
  return { ...result, state: { ...result.state, ...change } };
}

/** Each activity that a transition made another attempt of. */
function withRetries(
  before: RunState | undefined,
  result: Transition<unknown>,
  change: (now: ActivityInfo, was: ActivityInfo) => Partial<ActivityInfo>,
): Transition<unknown> {
  if (!before || result.state.activities === before.activities) return result;
  const activities = new Map(result.state.activities);
  let changed = false;
  for (const [id, activity] of activities) {
    const was = before.activities.get(id);
    if (!was || activity.attempt <= was.attempt) continue;
    activities.set(id, { ...activity, ...change(activity, was) });
    changed = true;
  }
  return changed ? withState(result, { activities }) : result;
}

/** The core takes the maximum of attempts for another when it decides on the next; the state keeps the true one. */
function withMaximum(more: number): (core: Core) => Core {
  return (core) => (state, input, env) => {
    if (!state || input.kind !== 'failActivity') return core(state, input, env);
    const shifted = new Map<number, ActivityInfo>();
    for (const [id, activity] of state.activities) {
      const { retryPolicy } = activity;
      const maximumAttempts = retryPolicy.maximumAttempts + more;
      // 0 is no maximum.
      const moves = retryPolicy.maximumAttempts > 0 && maximumAttempts > 0;
      shifted.set(
        id,
        moves ? { ...activity, retryPolicy: { ...retryPolicy, maximumAttempts } } : activity,
      );
    }
    const result = core({ ...state, activities: shifted }, input, env);
    const activities = new Map<number, ActivityInfo>();
    for (const [id, activity] of result.state.activities) {
      const retryPolicy = state.activities.get(id)?.retryPolicy ?? activity.retryPolicy;
      activities.set(id, { ...activity, retryPolicy });
    }
    return withState(result, { activities });
  };
}

export const coreBugs: readonly PlantedBug[] = [
  {
    name: 'retry-counted-twice',
    what: 'an attempt that failed counts as two',
    core: around(
      (core) => (state, input, env) =>
        withRetries(state, core(state, input, env), ({ attempt }) => ({ attempt: attempt + 1 })),
    ),
  },
  {
    name: 'no-backoff',
    what: 'the next attempt is due at once',
    core: around(
      (core) => (state, input, env) =>
        withRetries(state, core(state, input, env), ({ lastAttemptCompleteTime }) => ({
          scheduledTime: lastAttemptCompleteTime,
        })),
    ),
  },
  {
    name: 'attempts-without-end',
    what: 'the maximum of attempts is not looked at',
    core: around((core) => (state, input, env) => {
      if (!state || input.kind !== 'failActivity') return core(state, input, env);
      const activities = new Map<number, ActivityInfo>();
      for (const [id, activity] of state.activities) {
        activities.set(id, {
          ...activity,
          retryPolicy: { ...activity.retryPolicy, maximumAttempts: 0 },
        });
      }
      return core({ ...state, activities }, input, env);
    }),
  },
  {
    name: 'attempts-one-more',
    what: 'an activity is tried once more than its policy allows',
    core: around(withMaximum(1)),
  },
  {
    name: 'attempts-one-fewer',
    what: 'an activity is given up one attempt too early',
    core: around(withMaximum(-1)),
  },
  {
    name: 'buffer-lost',
    what: 'what came while a workflow task was started is forgotten',
    core: around((core) => (state, input, env) => {
      const result = core(state, input, env);
      return result.state.buffered.length > 0 ? withState(result, { buffered: [] }) : result;
    }),
  },
  {
    name: 'close-over-buffer',
    what: 'a run may close although something came that its worker has not seen',
    core: around(
      (core) => (state, input, env) =>
        core(
          state && input.kind === 'completeWorkflowTask' ? { ...state, buffered: [] } : state,
          input,
          env,
        ),
    ),
  },
  {
    name: 'timers-early',
    what: 'a wake-up is thought to be half a second later than it is',
    core: around(
      (core) => (state, input, env) =>
        core(state, input, input.kind === 'wake' ? { ...env, now: env.now + 500 } : env),
    ),
  },
  {
    name: 'signal-dedupe-forgotten',
    what: 'the request ids of signals are not kept',
    core: around((core) => (state, input, env) => {
      const result = core(state, input, env);
      return result.changed ? withState(result, { signalRequestIds: new Set() }) : result;
    }),
  },
  {
    name: 'old-decision-token',
    what: 'any token of a workflow task will do, as long as one is started',
    core: around((core) => (state, input, env) => {
      const task = state?.workflowTask;
      return task && task.startedEventId > 0 && input.kind === 'completeWorkflowTask'
        ? core(state, { ...input, token: task }, env)
        : core(state, input, env);
    }),
  },
  {
    name: 'old-step-token',
    what: 'the token of an earlier attempt of an activity will do',
    core: around((core) => (state, input, env) => {
      if (!state || input.kind !== 'completeActivity' || input.activity.by !== 'token') {
        return core(state, input, env);
      }
      const pending = state.activities.get(input.activity.token.scheduledEventId);
      if (pending) {
        const token = { ...input.activity.token, attempt: pending.attempt, stamp: pending.stamp };
        return core(state, { ...input, activity: { by: 'token', token } }, env);
      }
      // Gone: the answer is still taken for an acceptance.
      const result = core(state, input, env);
      return { ...result, answer: { ok: true, value: undefined } };
    }),
  },
  {
    name: 'timeout-of-an-old-attempt',
    what: 'a step started again has the deadline of its first attempt',
    core: around(
      (core) => (state, input, env) =>
        withRetries(state, core(state, input, env), (_now, was) => ({
          scheduledTime: was.scheduledTime,
        })),
    ),
  },
  {
    name: 'second-close',
    what: 'a closed run can be terminated once more',
    core: around(
      (core) => (state, input, env) =>
        core(
          state && input.kind === 'terminate' && state.closeTime > 0
            ? { ...state, status: 'running', closeTime: 0 }
            : state,
          input,
          env,
        ),
    ),
  },
  {
    name: 'child-not-forgotten',
    what: 'a child that has closed stays among those that are open',
    core: around((core) => (state, input, env) => {
      const result = core(state, input, env);
      return state && input.kind === 'childClosed' && result.changed
        ? withState(result, { children: state.children })
        : result;
    }),
  },
  {
    name: 'children-left-open',
    what: 'the close of a parent reaches none of its children',
    core: around((core) => (state, input, env) => {
      const result = core(state, input, env);
      return { ...result, outbox: result.outbox.filter(({ kind }) => kind !== 'closeChild') };
    }),
  },
  {
    name: 'duplicate-activity-id',
    what: 'an activity id that is open already may be given again',
    core: around((core) => (state, input, env) => {
      if (!state || input.kind !== 'completeWorkflowTask') return core(state, input, env);
      const hidden = input.commands.flatMap(({ scheduleActivityTaskCommandAttributes: step }) => {
        const open = step && activityById(state, step.activityId ?? '');
        return open ? [open] : [];
      });
      if (hidden.length === 0) return core(state, input, env);
      const activities = new Map(state.activities);
      for (const { scheduledEventId } of hidden) activities.delete(scheduledEventId);
      const result = core({ ...state, activities }, input, env);
      const after = new Map(result.state.activities);
      for (const activity of hidden) after.set(activity.scheduledEventId, activity);
      return withState(result, { activities: after });
    }),
  },
  {
    name: 'update-outcome-lost',
    what: 'an update that was completed is forgotten',
    core: around((core) => (state, input, env) => {
      const result = core(state, input, env);
      return result.state.completedUpdates.size > 0
        ? withState(result, { completedUpdates: new Map() })
        : result;
    }),
  },
  {
    name: 'speculative-overtaken',
    what: 'an event takes the id that a speculative workflow task has',
    core: around((core) => (state, input, env) => {
      const task = state?.workflowTask;
      if (!state || task?.kind !== 'speculative' || input.kind !== 'signal') {
        return core(state, input, env);
      }
      const result = core({ ...state, workflowTask: { ...task, kind: 'normal' } }, input, env);
      return result.changed ? withState(result, { workflowTask: task }) : result;
    }),
  },
  {
    name: 'speculative-half-written',
    what: 'the end of a speculative workflow task is written and its beginning is not',
    core: around((core) => (state, input, env) => {
      const task = state?.workflowTask;
      return state && task?.kind === 'speculative' && input.kind === 'completeWorkflowTask'
        ? core({ ...state, workflowTask: { ...task, kind: 'normal' } }, input, env)
        : core(state, input, env);
    }),
  },
  {
    name: 'speculative-drops-acceptance',
    what: 'a speculative workflow task is dropped although its worker has accepted the update',
    core: around((core) => (state, input, env) => {
      const result = core(state, input, env);
      if (!state || state.workflowTask?.kind !== 'speculative') return result;
      const { nextEventId, historyBytes, lastCompletedStartedEventId } = state;
      const before = { nextEventId, historyBytes, lastCompletedStartedEventId };
      const accepts = result.events.some(
        ({ eventType }) => eventType === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
      );
      return accepts
        ? { ...withState(result, { ...before, workflowTask: undefined }), events: [] }
        : result;
    }),
  },
  {
    name: 'schedule-time-twice',
    what: 'what a schedule has decided is decided again after a start',
    core: around((core) => (state, input, env) => {
      const result = core(state, input, env);
      const before = state?.schedule;
      const { schedule } = result.state;
      return before && schedule && input.kind === 'scheduledStarted'
        ? withState(result, {
            schedule: { ...schedule, processedTime: schedule.processedTime - 2_500 },
          })
        : result;
    }),
  },
  {
    name: 'schedule-time-lost',
    what: 'a nominal time of a schedule passes and nothing is decided',
    core: around((core) => (state, input, env) => {
      const result = core(state, input, env);
      const { schedule } = result.state;
      return schedule && schedule.buffered.length > 0 && input.kind === 'wake'
        ? withState(result, { schedule: { ...schedule, buffered: [] } })
        : result;
    }),
  },
  {
    name: 'workflow-task-for-ever',
    what: 'a workflow task that is not answered is waited for without end',
    core: around((core) => (state, input, env) => {
      const task = state?.workflowTask;
      return state && task && task.startedEventId > 0 && input.kind === 'wake'
        ? core({ ...state, workflowTask: { ...task, timeoutMs: 86_400_000 } }, input, env)
        : core(state, input, env);
    }),
  },
];
