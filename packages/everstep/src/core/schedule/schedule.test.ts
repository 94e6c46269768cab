import fc from 'fast-check';
import proto from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { payloadsOf, startTime } from '../../../test/core-driver.ts';
import type { Input } from '../input.ts';
import { defaultLimits } from '../limits.ts';
import { EventType } from '../proto.ts';
import { decodeState, encodeState } from '../state-codec.ts';
import type { RunState } from '../state.ts';
import { durationOf, longOf, numberOf, timestampOf } from '../time.ts';
import { transition } from '../transition.ts';
import { wakeAt } from '../wake.ts';
import { createSchedule } from './schedule.ts';
import { checkSchedule } from './schedule-request.ts';
import type { ScheduleState, WireSchedule } from './schedule-state.ts';
import { scheduledStart } from './scheduled-start.ts';

const { ScheduleOverlapPolicy: Overlap } = proto.temporal.api.enums.v1;
const second = 1_000;
/** The drivers' clock begins at a multiple of twenty seconds. */
const step = 20 * second;

type Start = { readonly actionId: number; readonly workflowId: string };

/** One schedule with its clock; what it has asked for is started and ended by hand. */
class Driver {
  now = startTime;
  state: RunState;
  /** Asked for and not answered. */
  starts: Start[] = [];
  ends: { readonly workflowId: string; readonly how: string }[] = [];

  constructor(schedule: WireSchedule, jitter = 0) {
    const checked = checkSchedule(
      {
        action: {
          startWorkflow: {
            workflowId: 'w',
            workflowType: { name: 'Order' },
            taskQueue: { name: 'orders' },
          },
        },
        ...schedule,
        spec: {
          interval: [{ interval: durationOf(step) }],
          jitter: durationOf(jitter),
          ...schedule.spec,
        },
      },
      { now: this.now, limits: defaultLimits },
    );
    if (!checked.ok) throw new TypeError(checked.refusal.message);
    const made = createSchedule(
      {
        namespaceId: 'n/schedules',
        namespace: 'default',
        workflowsNamespaceId: 'n',
        scheduleId: 's',
        runId: 'run',
        requestId: 'create',
        schedule: checked.value,
      },
      this.env,
    );
    this.state = made.state;
  }

  get env() {
    const random = { next: () => 0.5, uuid: () => 'id' };
    return { now: this.now, random, limits: defaultLimits };
  }

  get s(): ScheduleState {
    if (!this.state.schedule) throw new TypeError('no schedule');
    return this.state.schedule;
  }

  apply(input: Exclude<Input, { readonly kind: 'start' }>) {
    const made = transition(this.state, input as never, this.env);
    this.state = made.state;
    for (const message of made.outbox) {
      if (message.kind === 'startScheduled') {
        const action = this.s.starting.find(({ actionId }) => actionId === message.actionId);
        if (action) this.starts.push(action);
      } else if (message.kind === 'endScheduled') {
        this.ends.push({ workflowId: message.workflowId, how: message.how });
      }
    }
    return made.answer;
  }

  /** Wakes it whenever it asks for that, until so much time has passed. */
  advance(ms: number): this {
    const until = this.now + ms;
    for (let at = wakeAt(this.state); at !== 0 && at <= until; at = wakeAt(this.state)) {
      this.now = Math.max(this.now, at);
      this.apply({ kind: 'wake' });
    }
    this.now = until;
    return this;
  }

  /** Every start that was asked for has taken place. */
  started(): this {
    for (const { actionId } of this.starts.splice(0)) {
      this.apply({ kind: 'scheduledStarted', actionId, runId: `run-${actionId}` });
    }
    return this;
  }

  closed(actionId: number, eventType = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED): this {
    this.apply({
      kind: 'scheduledClosed',
      actionId,
      workflowId: `w-${actionId}`,
      firstRunId: `run-${actionId}`,
      closeEvent: {
        eventType,
        workflowExecutionCompletedEventAttributes: { result: payloadsOf('result') },
        workflowExecutionFailedEventAttributes: { failure: { message: 'broken' } },
      },
    });
    return this;
  }

  patch(patch: Extract<Input, { readonly kind: 'patchSchedule' }>['patch']): this {
    this.apply({ kind: 'patchSchedule', patch, requestId: '' });
    return this;
  }
}

const withPolicy = (overlapPolicy: number): WireSchedule => ({ policies: { overlapPolicy } });

describe('a schedule', () => {
  it('names what it starts after the nominal time, without its milliseconds (SC-1)', () => {
    const driver = new Driver({ spec: { interval: [{ interval: durationOf(1_500) }] } });
    driver.advance(2 * second);
    expect(driver.starts).toMatchObject([{ actionId: 1, workflowId: 'w-2023-11-14T22:13:21Z' }]);
  });

  it('keeps the workflow id as it is when it is told to (SC-1)', () => {
    const driver = new Driver({ policies: { keepOriginalWorkflowId: true } });
    expect(driver.advance(step).starts).toMatchObject([{ workflowId: 'w' }]);
  });

  it('is woken at the actual time, and not before, and decides each nominal time then (SC-4)', () => {
    const driver = new Driver(withPolicy(Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL), 10 * second);
    const at = wakeAt(driver.state);
    expect(at).toBeGreaterThanOrEqual(startTime + step);
    expect(at).toBeLessThan(startTime + step + 10 * second);
    driver.now = at - 1;
    driver.apply({ kind: 'wake' });
    expect(driver.starts).toEqual([]);
    driver.now = at;
    driver.apply({ kind: 'wake' });
    driver.apply({ kind: 'wake' });
    expect(driver.starts).toHaveLength(1);
  });

  it('counts what lies further back than the catch-up window as missed (SC-3)', () => {
    const driver = new Driver({
      policies: {
        overlapPolicy: Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
        catchupWindow: durationOf(second),
      },
    });
    // The window is at least ten seconds.
    driver.now += 3 * step + 9 * second;
    driver.apply({ kind: 'wake' });
    expect(driver.starts).toHaveLength(1);
    expect(driver.s.missedCatchupWindow).toBe(2);
  });

  it('takes a catch-up window of zero for the least one, and none for a year (SC-3)', () => {
    const least = new Driver({ policies: { catchupWindow: durationOf(0) } });
    expect(least.s.schedule.policies?.catchupWindow).toEqual(durationOf(10 * second));
    const none = new Driver({ policies: {} });
    expect(none.s.schedule.policies?.catchupWindow).toEqual(durationOf(365 * 86_400 * second));
  });

  it('hands on results of runs that were started alone, to such runs only (SC-2)', () => {
    const startOf = (driver: Driver, actionId: number) => {
      const action = driver.s.starting.find((one) => one.actionId === actionId);
      if (!action) throw new TypeError(`no start ${actionId}`);
      return scheduledStart({ scheduleId: 's', runId: 'run', namespace: 'n' }, driver.s, action);
    };
    const driver = new Driver({});
    driver.advance(step).started().closed(1);
    const beside = { overlapPolicy: Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL };
    driver.patch({ triggerImmediately: beside });
    expect(startOf(driver, 2).lastCompletionResult ?? null).toBeNull();
    driver.started().closed(2, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED);
    driver.advance(step);
    expect(startOf(driver, 3)).toMatchObject({
      lastCompletionResult: payloadsOf('result'),
      continuedFailure: null,
    });
  });

  it('says of its workflow task queue that it is a normal one', () => {
    const { action } = new Driver({}).s.schedule;
    expect(action?.startWorkflow?.taskQueue).toEqual({ name: 'orders', kind: 1 });
  });

  it('learns of an end before it learns of the start, and of both again (SC-2)', () => {
    const driver = new Driver({});
    driver.advance(step).closed(1);
    expect(driver.s).toMatchObject({
      actionCount: 1,
      running: [],
      starting: [],
      recent: [{ runId: 'run-1', status: 'completed' }],
    });
    const before = driver.s;
    driver.started().closed(1);
    expect({ ...driver.s, wakeAt: 0 }).toEqual({ ...before, wakeAt: 0 });
  });

  it('passes over a time whose start was refused (invariant 21)', () => {
    const driver = new Driver({});
    driver.advance(step).apply({ kind: 'scheduledStarted', actionId: 1 });
    expect(driver.s).toMatchObject({ actionCount: 0, overlapSkipped: 1, starting: [] });
    expect(driver.advance(step).starts).toHaveLength(2);
  });

  it('cancels the open run once, terminates it where the policy became harder (SC-2)', () => {
    const driver = new Driver(withPolicy(Overlap.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER));
    driver
      .advance(step)
      .started()
      .advance(3 * step);
    expect(driver.ends.map(({ how }) => how)).toEqual(['cancel']);
    const overlapPolicy = Overlap.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER;
    driver.patch({ triggerImmediately: { overlapPolicy } });
    expect(driver.ends.map(({ how }) => how)).toEqual(['cancel', 'terminate']);
  });

  it('pauses after a chain that timed out, not after one that was cancelled (SC-6)', () => {
    const driver = new Driver({ policies: { pauseOnFailure: true } });
    driver.advance(step).started();
    driver.closed(1, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED);
    expect(driver.s.schedule.state?.paused).toBeFalsy();
    driver.advance(step).started();
    driver.closed(2, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT);
    expect(driver.s.schedule.state).toMatchObject({
      paused: true,
      notes: 'paused due to workflow timeout: w-2',
    });
    expect(wakeAt(driver.state)).toBe(0);
  });

  it('leaves out what passed while it was paused (SC-6)', () => {
    const driver = new Driver(withPolicy(Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL), step);
    driver.patch({ pause: 'now' }).advance(10 * step + 1);
    driver.patch({ unpause: 'again' });
    // At most the time whose jitter still holds it back.
    expect(driver.starts).toEqual([]);
    driver.advance(2 * step);
    expect(driver.starts.length).toBeGreaterThanOrEqual(1);
    expect(driver.starts.length).toBeLessThanOrEqual(3);
  });

  it('takes a time of its old spec that was due before an update, and none twice (SC-7)', () => {
    const driver = new Driver(withPolicy(Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL));
    driver.now += step;
    const { schedule } = driver.s;
    const spec = { interval: [{ interval: durationOf(second) }] };
    driver.apply({
      kind: 'updateSchedule',
      schedule: { ...schedule, spec },
      conflictToken: 1,
      requestId: '',
    });
    expect(driver.starts).toHaveLength(1);
    driver.advance(5 * second);
    expect(driver.starts.map(({ workflowId }) => workflowId.slice(-3))).toEqual([
      '40Z',
      '41Z',
      '42Z',
      '43Z',
      '44Z',
      '45Z',
    ]);
    const late = driver.apply({
      kind: 'updateSchedule',
      schedule,
      conflictToken: 1,
      requestId: '',
    });
    expect(late).toMatchObject({ ok: false, refusal: { code: 'FAILED_PRECONDITION' } });
  });

  it('is the same after its state was stored', () => {
    const driver = new Driver({ policies: { pauseOnFailure: true } }, second);
    driver.advance(step + second).started();
    driver.closed(1, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED).patch({ unpause: 'again' });
    driver.advance(2 * step);
    const { state } = driver;
    const row = { ...state, schedule: undefined };
    const stored = decodeState(encodeState(state), row);
    expect(encodeState(stored)).toEqual(encodeState(state));
    driver.state = stored;
    expect(driver.s.continuedFailure?.message).toBe('broken');
    expect(driver.advance(step).started().s.actionCount).toBeGreaterThan(0);
  });
});

describe('each nominal time', () => {
  it('is started, skipped, missed, buffered or dropped, whatever happens (invariant 21)', () => {
    const event = fc.oneof(
      fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 5 * step }) }),
      fc.record({ do: fc.constant('sleep' as const), ms: fc.integer({ min: 0, max: 9 * step }) }),
      fc.record({ do: fc.constant('started' as const) }),
      fc.record({ do: fc.constant('close' as const), which: fc.nat(5) }),
      fc.record({ do: fc.constant('policy' as const), policy: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ do: fc.constant('backfill' as const), times: fc.integer({ min: 0, max: 700 }) }),
    );
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom(0, 7 * second, step),
        (events, overlapPolicy, jitter) => {
          const catchupWindow = durationOf(4 * step);
          const driver = new Driver({ policies: { overlapPolicy, catchupWindow } }, jitter);
          let backfilled = 0;
          for (const one of events) {
            if (one.do === 'advance') driver.advance(one.ms);
            else if (one.do === 'sleep') driver.now += one.ms;
            else if (one.do === 'started') driver.started();
            else if (one.do === 'close') driver.closed(driver.s.running[one.which]?.actionId ?? 0);
            else if (one.do === 'backfill') {
              backfilled += one.times;
              const from = startTime - one.times * step;
              // Half a step before the first, so that jitter moves none out of the range.
              const range = [from + step / 2, startTime + step - 1].map(timestampOf);
              const overlapAll = Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL;
              driver.patch({
                backfillRequest: [
                  { startTime: range[0] ?? {}, endTime: range[1] ?? {}, overlapPolicy: overlapAll },
                ],
              });
            } else {
              driver.apply({
                kind: 'updateSchedule',
                schedule: {
                  ...driver.s.schedule,
                  policies: { overlapPolicy: one.policy, catchupWindow },
                },
                conflictToken: 0,
                requestId: '',
              });
            }
          }
          do driver.started().advance(0);
          while (driver.starts.length > 0);
          const { s } = driver;
          const decided =
            s.actionCount +
            s.starting.length +
            s.overlapSkipped +
            s.missedCatchupWindow +
            s.bufferDropped +
            s.buffered.length;
          const nominal = Math.floor((s.processedTime - startTime) / step);
          expect(s.backfills).toEqual([]);
          expect(decided).toBe(nominal + backfilled);
          // None is decided early, and none that is due is forgotten.
          expect(s.processedTime).toBeLessThanOrEqual(driver.now);
          expect(wakeAt(driver.state)).toBeGreaterThan(driver.now);
          expect(s.running.length).toBeLessThanOrEqual(1);
          expect(s.buffered.length).toBeLessThanOrEqual(1_000);
        },
      ),
      { numRuns: 200 },
    );
  }, 60_000);

  it('uses up a remaining action only when it is started (SC-6)', () => {
    const driver = new Driver({
      state: { limitedActions: true, remainingActions: longOf(2) },
    });
    driver.advance(3 * step).started();
    expect(numberOf(driver.s.schedule.state?.remainingActions)).toBe(1);
    driver.closed(1).advance(step).started().closed(2);
    expect(numberOf(driver.s.schedule.state?.remainingActions)).toBe(0);
    expect(wakeAt(driver.state)).toBe(0);
    expect(driver.patch({ triggerImmediately: {} }).starts).toHaveLength(1);
  });
});
