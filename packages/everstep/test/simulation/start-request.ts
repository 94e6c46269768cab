/** A start of a scripted workflow, with whatever a start may ask for. */
import proto from '@temporalio/proto';
import { durationOf } from '../../src/core/time.ts';
import type { Chance } from '../chance.ts';
import { payloadsOf } from '../core-driver.ts';
import { rawQueue, rawType } from './raw-commands.ts';

const enums = proto.temporal.api.enums.v1;
const namespace = 'default';

export function startRequest(workflowId: string, chance: Chance) {
  const some = <T>(often: number, value: () => T): T | null =>
    chance.next() < often ? value() : null;
  const cron = chance.next() < 0.05;
  return {
    namespace,
    workflowId,
    identity: 'client',
    workflowType: { name: rawType },
    taskQueue: { name: rawQueue },
    input: payloadsOf(chance.whole(0, 2)),
    workflowIdReusePolicy: chance.pick([
      enums.WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
      enums.WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
      enums.WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
      enums.WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
    ]),
    workflowIdConflictPolicy: chance.pick([
      enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
      enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
      enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
    ]),
    workflowTaskTimeout: some(0.4, () => durationOf(chance.whole(500, 6_000))),
    workflowRunTimeout: some(0.2, () => durationOf(chance.whole(1_000, 20_000))),
    workflowExecutionTimeout: some(0.15, () => durationOf(chance.whole(2_000, 40_000))),
    workflowStartDelay: cron ? null : some(0.1, () => durationOf(chance.whole(100, 5_000))),
    cronSchedule: cron ? '@every 5s' : '',
    retryPolicy: some(0.25, () => ({
      initialInterval: durationOf(chance.whole(200, 2_000)),
      maximumAttempts: chance.whole(1, 3),
    })),
    memo: some(0.2, () => ({ fields: { who: payloadsOf('client').payloads?.[0] ?? {} } })),
  };
}
