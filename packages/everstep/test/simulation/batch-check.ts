/** 24: a batch operation comes to each of its runs, and says truly to how many (what it did twice shows as 9 and 10). */
import { isOpen } from '../../src/core/state.ts';
import type { BatchState } from '../../src/core/batch/batch-state.ts';
import type { RunState } from '../../src/core/state.ts';
import type { Complain } from './history-check.ts';
import type { RunRecord } from './run-record.ts';
import { textOf } from './run-record.ts';

export function checkBatch(
  before: RunState | undefined,
  state: RunState,
  recordsOf: (workflowId: string) => readonly RunRecord[],
  complain: Complain,
): void {
  const is = state.batch;
  if (!is) return;
  const known = is.completed + is.failed + is.pending.length;
  const was = before?.batch;
  if (was) checkStep(was, is, complain);
  if (is.listed && known !== is.total) {
    complain(24, `knows of ${known} runs, and says that there are ${is.total}`);
  }
  if (isOpen(state) || state.status !== 'completed') return;
  if (is.pending.length > 0) complain(24, `ends before ${is.pending.length} runs are done`);
  if (is.failed > 0) return;
  for (const target of is.request.executions ?? []) {
    const workflowId = target.workflowId ?? '';
    const records = recordsOf(workflowId).filter(
      ({ key, state: run }) =>
        !run?.schedule && !run?.batch && (!target.runId || key.runId === target.runId),
    );
    if (records.length > 0 && !records.some((record) => isDone(is, record))) {
      complain(24, `has completed and did nothing to ${workflowId}/${target.runId}`);
    }
  }
}

function checkStep(was: BatchState, is: BatchState, complain: Complain): void {
  if (is.step < was.step) complain(24, `goes back from step ${was.step} to ${is.step}`);
  if (is.completed < was.completed || is.failed < was.failed)
    complain(24, 'has done less than before');
  const done = is.completed + is.failed - was.completed - was.failed;
  if (was.listed && was.pending.length - done !== is.pending.length) {
    complain(24, `did ${done} of ${was.pending.length} runs, and ${is.pending.length} are left`);
  }
}

/** A run that is gone or has ended needs it no more. */
function isDone({ operation, request }: BatchState, record: RunRecord): boolean {
  const { deleted, closedAt, state } = record;
  if (deleted || closedAt > 0) return true;
  switch (operation) {
    case 'signal': {
      const token = textOf(request.signalOperation?.input?.payloads?.[0]?.data);
      return token !== undefined && record.has(token);
    }
    case 'cancel':
      return state?.cancelRequested === true;
    case 'terminate':
    case 'delete':
    // A run that is reset is terminated.
    case 'reset':
      return false;
    // What these change may have changed again.
    case 'updateOptions':
    case 'unpauseActivities':
    case 'resetActivities':
    case 'updateActivityOptions':
      return true;
  }
}
