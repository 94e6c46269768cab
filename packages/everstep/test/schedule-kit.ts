/** Schedules for the engine's suite: tersely made, described, and what they have started. */
import assert from 'node:assert/strict';
import type { temporal } from '@temporalio/proto';
import { durationOf, timestampOf } from '../src/core/time.ts';
import type { Host } from './engine-host.ts';

export type Spec = temporal.api.schedule.v1.IScheduleSpec;
export type Patch = temporal.api.schedule.v1.ISchedulePatch;
type Schedule = temporal.api.schedule.v1.ISchedule;
type Create = temporal.api.workflowservice.v1.ICreateScheduleRequest;
type Described = temporal.api.workflowservice.v1.IDescribeScheduleResponse;

const namespace = 'default';

/** The action starts `Order` on `orders`, as Host.start does. */
export function scheduleOf(spec: Spec, rest: Schedule = {}): Schedule {
  return {
    spec,
    action: {
      startWorkflow: {
        workflowId: 'order',
        workflowType: { name: 'Order' },
        taskQueue: { name: 'orders' },
      },
    },
    ...rest,
  };
}

export function every(ms: number, phaseMs = 0): Spec {
  return { interval: [{ interval: durationOf(ms), phase: durationOf(phaseMs) }] };
}

export class Schedules {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  create(scheduleId: string, schedule: Schedule, request: Create = {}) {
    return this.#host.service.createSchedule({ namespace, scheduleId, schedule, ...request });
  }

  describe(scheduleId: string): Promise<Described> {
    return this.#host.service.describeSchedule({ namespace, scheduleId });
  }

  patch(scheduleId: string, patch: Patch, requestId = '') {
    return this.#host.service.patchSchedule({ namespace, scheduleId, patch, requestId });
  }

  backfill(scheduleId: string, from: number, to: number, overlapPolicy = 0) {
    return this.patch(scheduleId, {
      backfillRequest: [{ startTime: timestampOf(from), endTime: timestampOf(to), overlapPolicy }],
    });
  }

  async update(
    scheduleId: string,
    change: (schedule: Schedule) => Schedule,
    conflictToken?: Uint8Array,
  ) {
    const { schedule } = await this.describe(scheduleId);
    return this.#host.service.updateSchedule({
      namespace,
      scheduleId,
      schedule: change(schedule ?? {}),
      ...(conflictToken && { conflictToken }),
    });
  }

  delete(scheduleId: string) {
    return this.#host.service.deleteSchedule({ namespace, scheduleId });
  }

  async listed(query = ''): Promise<string[]> {
    const { schedules } = await this.#host.service.listSchedules({ namespace, query });
    return (schedules ?? []).map((entry) => entry.scheduleId ?? '').sort();
  }

  async count(query = ''): Promise<number> {
    const { count } = await this.#host.service.countSchedules({ namespace, query });
    return Number(count);
  }

  /** The counters that tell what became of the nominal times, and what runs. */
  async numbers(scheduleId: string) {
    const { info } = await this.describe(scheduleId);
    assert(info);
    return {
      actions: Number(info.actionCount),
      skipped: Number(info.overlapSkipped),
      missed: Number(info.missedCatchupWindow),
      buffered: Number(info.bufferSize),
      running: (info.runningWorkflows ?? []).length,
    };
  }
}
