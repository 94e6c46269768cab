/** The columns of a run: what somebody looks for, computed from its state in every commit (decision 4). */
import proto from '@temporalio/proto';
import type { RunState } from '../core/state.ts';
import { comparedValue } from '../core/search-attribute-value.ts';
import { wakeAt } from '../core/wake.ts';
import type { RunColumns, SearchValue } from '../store/store.ts';

const { Memo, SearchAttributes } = proto.temporal.api.common.v1;

export function columnsOf(
  state: RunState,
  previous: RunColumns | undefined,
  now: number,
  retentionMs: number,
): RunColumns {
  const sameMemo = previous !== undefined && memoOf.get(previous) === state.memo;
  const sameAttributes =
    previous !== undefined && attributesOf.get(previous) === state.searchAttributes;
  const memo = sameMemo
    ? previous.memo
    : encodeFields(state.memo?.fields, () => Memo.encode(state.memo ?? {}).finish());
  const searchAttributes = sameAttributes
    ? previous.searchAttributes
    : encodeFields(state.searchAttributes?.indexedFields, () =>
        SearchAttributes.encode(state.searchAttributes ?? {}).finish(),
      );
  const searchValues = sameAttributes ? previous.searchValues : searchValuesOf(state);
  const columns: RunColumns = {
    workflowType: state.workflowType,
    taskQueue: state.taskQueue,
    status: state.pause && state.closeTime === 0 ? 'paused' : state.status,
    startTime: state.startTime,
    executionTime: state.executionTime,
    closeTime: state.closeTime,
    wakeAt: lazyWakeAt(wakeAt(state), previous?.wakeAt ?? 0, now),
    deleteAt: state.closeTime === 0 ? 0 : state.closeTime + retentionMs,
    historyEvents: state.nextEventId - 1,
    historyBytes: state.historyBytes,
    holder: holderOf(state),
    parentWorkflowId: state.parent?.workflowId ?? '',
    parentRunId: state.parent?.runId ?? '',
    rootWorkflowId: state.root.workflowId,
    rootRunId: state.root.runId,
    firstRunId: state.firstRunId,
    memo,
    searchAttributes,
    searchValues,
  };
  if (state.memo) memoOf.set(columns, state.memo);
  if (state.searchAttributes) attributesOf.set(columns, state.searchAttributes);
  return columns;
}

/** What the encoded bytes of earlier columns were made from, so that they are made once. */
const memoOf = new WeakMap<RunColumns, RunState['memo']>();
const attributesOf = new WeakMap<RunColumns, RunState['searchAttributes']>();

/**
 * An early wake-up finds nothing due and is harmless, so a deadline that only moves away keeps the stored one: an
 * index entry less to write at every step. It is renewed when it comes due.
 */
function lazyWakeAt(earliest: number, stored: number, now: number): number {
  if (earliest === 0) return 0;
  return stored > now && stored <= earliest ? stored : earliest;
}

/** The process with started attempts of this run; '*' = several (decision 11). */
function holderOf(state: RunState): string {
  let holder = state.workflowTask?.processId ?? '';
  for (const activity of state.activities.values()) {
    const { processId } = activity;
    if (processId === undefined || activity.startedTime === 0 || processId === holder) continue;
    if (holder !== '') return '*';
    holder = processId;
  }
  return holder;
}

function encodeFields(
  fields: object | null | undefined,
  encode: () => Uint8Array,
): Uint8Array | undefined {
  if (!fields) return undefined;
  for (const _name in fields) return encode();
  return undefined;
}

function searchValuesOf(state: RunState): Readonly<Record<string, SearchValue>> | undefined {
  const fields = state.searchAttributes?.indexedFields;
  if (!fields) return undefined;
  const values: Record<string, SearchValue> = {};
  let some = false;
  for (const [name, payload] of Object.entries(fields)) {
    const value = comparedValue(payload);
    if (value === undefined) continue;
    values[name] = value;
    some = true;
  }
  return some ? values : undefined;
}
