/** The ledger of a soak, whose runs are deleted while it lasts: what was acknowledged against what the steps wrote. */
import type { LedgerEntry, ParentEntry } from './journal.ts';
import { workloadOf, type WorkResult } from './workloads.ts';

export interface Balance {
  /** Submits that were answered. */
  readonly acknowledged: number;
  /** Those of them that came to a result whose every step has run. */
  readonly effects: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly inFlight: number;
  readonly problems: readonly string[];
}

export function balance(journal: readonly ParentEntry[], ledger: readonly LedgerEntry[]): Balance {
  const submitted = new Set<string>();
  const results = new Map<string, { readonly at: number; readonly value: WorkResult }>();
  for (const entry of journal) {
    if (!('ack' in entry)) continue;
    if (entry.ack === 'submit') submitted.add(entry.taskId);
    if (entry.ack === 'result') {
      results.set(entry.taskId, { at: entry.at, value: entry.value as WorkResult });
    }
  }
  const entries = new Map<string, LedgerEntry[]>();
  for (const entry of ledger) {
    const own = entries.get(entry.taskId);
    if (own) own.push(entry);
    else entries.set(entry.taskId, [entry]);
  }
  const problems: string[] = [];
  let effects = 0;
  let inFlight = 0;
  let duplicated = 0;
  for (const taskId of submitted) {
    const own = entries.get(taskId) ?? [];
    const result = results.get(taskId);
    const missing = missingSteps(taskId, result?.value, own);
    if (missing === undefined) effects += 1;
    else problems.push(`lost: ${taskId}: ${missing}`);
    const again = own.find(({ what, at }) => what === 'start' && at > (result?.at ?? Infinity));
    if (again) {
      duplicated += 1;
      problems.push(`duplicated: ${taskId}/${again.key} started after the task had its result`);
    }
    const starts = own.filter(({ what }) => what === 'start');
    const singles = starts.filter(({ key }) => key === 'single').length;
    if (singles > 1) {
      duplicated += 1;
      problems.push(`duplicated: ${taskId}/single may be tried once, and started ${singles} times`);
    }
    inFlight += starts.length - new Set(starts.map(({ key, attempt }) => `${key} ${attempt}`)).size;
  }
  const lost = submitted.size - effects;
  return { acknowledged: submitted.size, effects, lost, duplicated, inFlight, problems };
}

/** What the result lacks of what the task should have done; undefined when it lacks nothing. */
function missingSteps(
  taskId: string,
  result: WorkResult | undefined,
  own: readonly LedgerEntry[],
): string | undefined {
  if (result === undefined) return 'it has no result';
  const finished = new Set(own.map(({ key, token }) => `${key} ${token}`));
  const workload = workloadOf(taskId.slice(0, taskId.lastIndexOf('-')));
  const missing = workload.keys.find((key) => {
    if (key === 'single' && result.lost === 'ProcessLost') return false;
    return !finished.has(`${key} ${result.tokens[key]}`);
  });
  if (missing !== undefined) return `${missing} came to what no run of it has made`;
  return workload.signalled && result.answer !== `for ${taskId}` ? 'its signal is lost' : undefined;
}

/** The median of the second quarter against that of the last: what is bounded has settled by then. */
export function growth(values: readonly number[]): {
  readonly middle: number;
  readonly end: number;
  readonly bounded: boolean;
} {
  const quarter = Math.max(1, Math.floor(values.length / 4));
  const middle = median(values.slice(quarter, 2 * quarter));
  const end = median(values.slice(-quarter));
  return { middle, end, bounded: values.length < 8 || end <= middle * 1.2 };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
