/**
 * What the code of a random program saw, and so its result, is what the history of its run says (invariant 22). It
 * takes the events alone, so that it holds of any service's histories.
 */
import type { HistoryEvent } from '../../src/core/proto.ts';
import { numberOf } from '../../src/core/time.ts';
import { contextType } from './context-program.ts';
import type { Complain } from './history-check.ts';
import { closeOf, retell } from './retold-program.ts';
import { taskTypes, type Seen } from './task-programs.ts';

const loneType = 'asyncTask_lone';

export function checkSeen(events: readonly HistoryEvent[], complain: Complain): void {
  const type = events[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? '';
  if (type !== contextType && !taskTypes.includes(type)) return;
  // A run that retries what had failed asks for it again, and has the later answer in the place of the earlier.
  const retried = events.some(isReset);
  if (!retried) checkAskedOnce(events, complain);
  const completed = events.at(-1)?.workflowExecutionCompletedEventAttributes;
  const data = completed?.result?.payloads?.[0]?.data;
  if (!data) return;
  const result = Buffer.from(data).toString();
  if (type === loneType) {
    checkLone(events, result, complain);
    return;
  }
  const seen = JSON.parse(result) as readonly Seen[];
  const told = retried ? undefined : retell(events, type === contextType);
  if (told?.certain === true) checkOrder(seen, told.seen, complain);
  else checkValues(events, seen, retried, complain);
}

export function isReset(event: HistoryEvent): boolean {
  return Boolean(event.workflowTaskFailedEventAttributes?.newRunId);
}

/** A key that the history holds is not asked of it again, however it ended. */
function checkAskedOnce(events: readonly HistoryEvent[], complain: Complain): void {
  const asked = new Set<string>();
  for (const event of events) {
    const key = event.activityTaskScheduledEventAttributes?.activityId;
    if (!key) continue;
    if (asked.has(key)) complain(22, `event ${numberOf(event.eventId)} schedules ${key} again`);
    asked.add(key);
  }
}

function checkLone(events: readonly HistoryEvent[], result: string, complain: Complain): void {
  const close = events.findLast((event) => event.activityTaskCompletedEventAttributes);
  const data = close?.activityTaskCompletedEventAttributes?.result?.payloads?.[0]?.data;
  const told = Buffer.from(data ?? []).toString();
  if (result !== told) complain(22, `its result is ${result}, its only step's is ${told}`);
}

function checkOrder(seen: readonly Seen[], told: readonly Seen[], complain: Complain): void {
  for (let at = 0; at < Math.max(seen.length, told.length); at += 1) {
    const [its, ours] = [shown(seen[at]), shown(told[at])];
    if (its === ours) continue;
    complain(22, `number ${at + 1} of what it saw is ${its}, its history says ${ours}`);
    return;
  }
}

function shown(seen: Seen | undefined): string {
  return seen ? `${seen[0]} = ${seen[1]}` : 'nothing';
}

/** Of steps and sleeps alone: their values, and that they are in the history's order. */
function checkValues(
  events: readonly HistoryEvent[],
  seen: readonly Seen[],
  retried: boolean,
  complain: Complain,
): void {
  const closes = closesByKey(events);
  let last = 0;
  for (const [key, value] of seen) {
    if (key === 'race' || key.startsWith('signal ')) continue;
    const close = closes.get(key);
    if (!close) {
      complain(22, `${key} was seen as ${value}, and its history does not have it`);
      continue;
    }
    if (value !== close.value) {
      complain(22, `${key} was seen as ${value}, its history says ${close.value}`);
    }
    if (close.id < last && !retried) {
      complain(22, `${key} was seen after event ${last}, and is event ${close.id}`);
    }
    last = close.id;
  }
}

function closesByKey(events: readonly HistoryEvent[]): Map<string, { id: number; value: string }> {
  const keys = new Map<number, string>();
  const closes = new Map<string, { id: number; value: string }>();
  for (const event of events) {
    const close = closeOf(event, keys);
    if (close) closes.set(close.key, { id: numberOf(event.eventId), value: close.value });
  }
  return closes;
}
