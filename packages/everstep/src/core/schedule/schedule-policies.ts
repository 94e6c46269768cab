/** A schedule's policies with their defaults (SC-2, SC-3). */
import proto from '@temporalio/proto';
import { durationOf, msOfDuration } from '../time.ts';
import type { OverlapPolicy, WireSchedule } from './schedule-state.ts';

const { ScheduleOverlapPolicy: Overlap } = proto.temporal.api.enums.v1;
type Overlap = proto.temporal.api.enums.v1.ScheduleOverlapPolicy;
type WirePolicies = proto.temporal.api.schedule.v1.ISchedulePolicies;

const catchupWindowDefaultMs = 365 * 86_400_000;
const catchupWindowMinMs = 10_000;

const names: Readonly<Record<Overlap, OverlapPolicy>> = {
  [Overlap.SCHEDULE_OVERLAP_POLICY_UNSPECIFIED]: 'ofSchedule',
  [Overlap.SCHEDULE_OVERLAP_POLICY_SKIP]: 'skip',
  [Overlap.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE]: 'bufferOne',
  [Overlap.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL]: 'bufferAll',
  [Overlap.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER]: 'cancelOther',
  [Overlap.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER]: 'terminateOther',
  [Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL]: 'allowAll',
};

export function isOverlapPolicy(policy: Overlap | null | undefined): boolean {
  return (policy ?? 0) in names;
}

/** Of one request: absent, it is the schedule's. */
export function overlapPolicyOf(policy: Overlap | null | undefined): OverlapPolicy {
  return names[policy ?? Overlap.SCHEDULE_OVERLAP_POLICY_UNSPECIFIED];
}

export function policiesOf({ policies }: WireSchedule): {
  readonly overlapPolicy: Exclude<OverlapPolicy, 'ofSchedule'>;
  readonly catchupWindowMs: number;
} {
  const overlapPolicy = overlapPolicyOf(policies?.overlapPolicy);
  return {
    overlapPolicy: overlapPolicy === 'ofSchedule' ? 'skip' : overlapPolicy,
    catchupWindowMs: msOfDuration(policies?.catchupWindow) || catchupWindowDefaultMs,
  };
}

/** With the defaults written out, as DescribeSchedule shows them. */
export function canonicalPolicies(policies: WirePolicies | null | undefined): WirePolicies {
  const window = policies?.catchupWindow;
  const windowMs = window ? msOfDuration(window) : catchupWindowDefaultMs;
  return {
    overlapPolicy: policies?.overlapPolicy || Overlap.SCHEDULE_OVERLAP_POLICY_SKIP,
    catchupWindow: durationOf(Math.max(windowMs, catchupWindowMinMs)),
    ...(policies?.pauseOnFailure && { pauseOnFailure: true }),
    ...(policies?.keepOriginalWorkflowId && { keepOriginalWorkflowId: true }),
  };
}
