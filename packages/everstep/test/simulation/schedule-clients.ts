/** Clients that keep schedules: with few ids, short intervals, and every patch there is. */
import proto from '@temporalio/proto';
import { durationOf, longOf, timestampOf } from '../../src/core/time.ts';
import { payloadsOf } from '../core-driver.ts';
import type { Caller, ClientWorld } from './caller.ts';
import { worldStart } from './process-clock.ts';
import { rawQueue, rawType } from './raw-commands.ts';

const { ScheduleOverlapPolicy: Overlap } = proto.temporal.api.enums.v1;
const namespace = 'default';

const overlaps = [
  Overlap.SCHEDULE_OVERLAP_POLICY_SKIP,
  Overlap.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE,
  Overlap.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL,
  Overlap.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER,
  Overlap.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER,
  Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
];

export class ScheduleClients {
  readonly #world: ClientWorld;
  readonly #caller: Caller;

  constructor(world: ClientWorld, caller: Caller) {
    this.#world = world;
    this.#caller = caller;
  }

  async act(): Promise<void> {
    const { chance, archive } = this.#world;
    const scheduleId = `schedule-${chance.whole(0, 1)}`;
    const record = archive.recordsOf(scheduleId).at(-1);
    if (!record || record.closedAt > 0 || record.deleted) await this.#create(scheduleId);
    const at = chance.next();
    if (at < 0.45) await this.#patch(scheduleId);
    else if (at < 0.6) await this.#change(scheduleId);
    else if (at < 0.7) await this.#delete(scheduleId);
    else await this.#caller.once((service) => service.describeSchedule({ namespace, scheduleId }));
  }

  /** Schedules go on for ever; what they have started ends by itself. */
  async finish(): Promise<void> {
    for (const { state, closedAt, deleted, key } of this.#world.archive.runs.values()) {
      if (state?.schedule && closedAt === 0 && !deleted) await this.#delete(key.workflowId);
    }
  }

  async #create(scheduleId: string): Promise<void> {
    const { ledger, chance } = this.#world;
    const intent = ledger.intend('schedule', scheduleId);
    const schedule = this.#schedule(scheduleId);
    await this.#caller.patiently(
      (service) =>
        service.createSchedule({
          namespace,
          scheduleId,
          schedule,
          requestId: intent.token,
          ...(chance.next() < 0.3 ? { initialPatch: { triggerImmediately: {} } } : {}),
        }),
      intent,
    );
  }

  #schedule(scheduleId: string) {
    const { chance } = this.#world;
    return {
      spec: {
        interval: [
          {
            interval: durationOf(1_000 * chance.whole(2, 9)),
            phase: durationOf(chance.whole(0, 1_500)),
          },
        ],
        ...(chance.next() < 0.3 ? { jitter: durationOf(chance.whole(100, 1_000)) } : {}),
      },
      action: {
        startWorkflow: {
          workflowId: `of-${scheduleId}`,
          workflowType: { name: rawType },
          taskQueue: { name: rawQueue },
          input: payloadsOf(chance.whole(0, 1)),
          ...(chance.next() < 0.3
            ? { workflowRunTimeout: durationOf(chance.whole(500, 9_000)) }
            : {}),
        },
      },
      policies: {
        overlapPolicy: chance.pick(overlaps),
        // A clock that is set forward makes no more times than that due at once.
        catchupWindow: durationOf(chance.whole(10_000, 20_000)),
        pauseOnFailure: chance.next() < 0.2,
      },
      state: chance.next() < 0.2 ? { limitedActions: true, remainingActions: longOf(2) } : {},
    };
  }

  async #patch(scheduleId: string): Promise<void> {
    const { chance, ledger, timeline, coverage } = this.#world;
    const at = chance.next();
    const now = worldStart + timeline.elapsed;
    const overlapPolicy = chance.pick(overlaps);
    const patch =
      at < 0.25
        ? { pause: 'for a while' }
        : at < 0.5
          ? { unpause: 'go on' }
          : at < 0.8
            ? { triggerImmediately: { overlapPolicy } }
            : {
                backfillRequest: [
                  {
                    startTime: timestampOf(now - 20_000),
                    endTime: timestampOf(now - 5_000),
                    overlapPolicy,
                  },
                ],
              };
    const done = await this.#caller.patiently((service) =>
      service.patchSchedule({ namespace, scheduleId, patch, requestId: ledger.token('patch') }),
    );
    if (done) coverage.hit(at < 0.8 ? 'SC-6' : 'SC-7');
  }

  async #change(scheduleId: string): Promise<void> {
    const { ledger, chance, coverage } = this.#world;
    const found = await this.#caller.once((service) =>
      service.describeSchedule({ namespace, scheduleId }),
    );
    if ('error' in found) return;
    const { conflictToken } = found.value;
    const schedule = this.#schedule(scheduleId);
    const done = await this.#caller.patiently((service) =>
      service.updateSchedule({
        namespace,
        scheduleId,
        schedule,
        requestId: ledger.token('change'),
        ...(conflictToken && chance.next() < 0.5 ? { conflictToken } : {}),
      }),
    );
    if (done) coverage.hit('SC-7');
  }

  async #delete(scheduleId: string): Promise<void> {
    await this.#caller.patiently((service) => service.deleteSchedule({ namespace, scheduleId }));
  }
}
