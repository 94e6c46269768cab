/** A finished draft as the transition it makes. */
import type { Draft } from './draft.ts';
import { flushBuffer } from './buffer.ts';
import type { Answer } from './input.ts';
import type { Transition } from './transition-result.ts';

/** WT-34: what waited enters the history as soon as no workflow task is started. */
export function settle<R>(draft: Draft, answer: Answer<R>): Transition<R> {
  if (draft.state.buffered.length > 0 && (draft.state.workflowTask?.startedEventId ?? 0) === 0) {
    flushBuffer(draft);
  }
  const changed = draft.changed;
  const transition = {
    state: changed ? draft.state : draft.base,
    changed,
    events: draft.events,
    tasks: draft.tasks,
    outbox: draft.outbox,
    interrupts: draft.interrupts,
    answer,
  };
  return draft.nextRun ? { ...transition, nextRun: draft.nextRun } : transition;
}
