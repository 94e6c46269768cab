/** What holds once everything has ended and is quiet (invariants 17, 19, and what the code of tasks saw). */
import { ParentClosePolicy } from '../../src/core/proto.ts';
import { numberOf } from '../../src/core/time.ts';
import type { Archive, Violation } from './archive.ts';
import type { Disk } from './disk.ts';
import type { RunRecord } from './run-record.ts';
import { checkSeen, isReset } from './seen-check.ts';

export interface EndedWorld {
  readonly disk: Disk;
  readonly archive: Archive;
  /** How long what follows from a close may take. */
  readonly graceMs: number;
  readonly violated: (violation: Violation) => void;
}

export function checkWorld(world: EndedWorld): void {
  for (const record of world.archive.runs.values()) {
    checkStored(world, record);
    checkChildren(world, record);
    checkSeen(record.events, (invariant, what) => {
      world.violated({ invariant, what: `${record.name}: ${what}` });
    });
  }
  for (const [outboxId, row] of world.disk.data.outbox) {
    world.violated({ invariant: 17, what: `message ${outboxId} of run ${row.ref} is still there` });
  }
}

/** 19. */
function checkStored({ disk, violated }: EndedWorld, record: RunRecord): void {
  const { data } = disk;
  const { ref, state, name } = record;
  const stored = data.runs.get(ref);
  const complain = (what: string): void => {
    violated({ invariant: 19, what: `${name}: ${what}` });
  };
  if (record.deleted) {
    if (stored) complain('was deleted and is still there');
    for (const { row } of data.tasks.values()) if (row.ref === ref) complain('left a task row');
    for (const row of data.outbox.values()) if (row.ref === ref) complain('left a message');
    return;
  }
  if (!stored || !state) {
    complain('is gone and nobody deleted it');
    return;
  }
  const { columns } = stored;
  if (columns.status !== state.status) complain(`is ${state.status}, listed as ${columns.status}`);
  if (columns.closeTime !== state.closeTime) complain('is listed with another close time');
  if (columns.historyEvents !== record.events.length) {
    complain(`has ${record.events.length} events, is listed with ${columns.historyEvents}`);
  }
  const listed = [...(data.runsOf.get(record.key.namespaceId)?.byStart ?? [])].includes(ref);
  if (!listed) complain('is not in the list of its namespace');
}

interface Child {
  readonly workflowId: string;
  readonly policy: number;
  runId: string;
}

/** 17: a parent that is open learns how its child ended; one that closes takes its children along. */
function checkChildren(world: EndedWorld, parent: RunRecord): void {
  const children = openChildren(parent);
  // A reset gives the children of a run to another.
  if (children.length === 0 || parent.closedAt === 0 || wasReset(world, parent)) return;
  for (const { workflowId, policy, runId } of children) {
    const first = world.archive.byRunId.get(runId);
    if (!first) continue;
    const last = chainOf(world, first).at(-1) ?? first;
    const complain = (what: string): void => {
      world.violated({ invariant: 17, what: `${parent.name}: its child ${workflowId} ${what}` });
    };
    const after = last.closedAt - parent.closedAt;
    if (after < -world.graceMs) complain(`ended ${-after} ms before it, and it was not told`);
    if (after <= world.graceMs || policy === ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON)
      continue;
    if (policy === ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL) {
      if (!chainOf(world, first).some(({ state }) => state?.cancelRequested === true)) {
        complain('was not asked to cancel');
      }
    } else if (last.state?.status !== 'terminated') {
      complain(`went on for ${after} ms and is ${last.state?.status}`);
    }
  }
}

function openChildren(parent: RunRecord): readonly Child[] {
  const open = new Map<number, Child>();
  for (const event of parent.events) {
    const initiated = event.startChildWorkflowExecutionInitiatedEventAttributes;
    if (initiated) {
      open.set(numberOf(event.eventId), {
        workflowId: initiated.workflowId ?? '',
        policy: initiated.parentClosePolicy ?? 0,
        runId: '',
      });
    }
    const started = event.childWorkflowExecutionStartedEventAttributes;
    const child = open.get(numberOf(started?.initiatedEventId));
    if (child) child.runId = started?.workflowExecution?.runId ?? '';
    const ended =
      event.childWorkflowExecutionCompletedEventAttributes ??
      event.childWorkflowExecutionFailedEventAttributes ??
      event.childWorkflowExecutionCanceledEventAttributes ??
      event.childWorkflowExecutionTimedOutEventAttributes ??
      event.childWorkflowExecutionTerminatedEventAttributes;
    if (ended) open.delete(numberOf(ended.initiatedEventId));
  }
  return [...open.values()].filter(({ runId }) => runId !== '');
}

/** A run that a reset made begins anew, whatever was asked of the one before. */
function chainOf({ archive }: EndedWorld, first: RunRecord): readonly RunRecord[] {
  const chain: RunRecord[] = [];
  for (let run: RunRecord | undefined = first; run && !chain.includes(run);) {
    chain.push(run);
    run = archive.byRunId.get(run.state?.newRunId ?? '');
  }
  return chain;
}

function wasReset({ archive }: EndedWorld, record: RunRecord): boolean {
  return archive.recordsOf(record.key.workflowId).some(({ events }) => events.some(isReset));
}
