/**
 * A run's state from its history alone. Live transitions and this go through the same `apply` functions, so the
 * two agree, but for what no event tells: attempts of activities and workflow tasks, heartbeats, stickiness, and
 * what still waits in the buffer.
 */
import { activityEvents } from './activity-events.ts';
import { attributeEvents } from './attributes.ts';
import { cancelEvents } from './cancel.ts';
import { childEvents } from './child-events.ts';
import { closeEvents } from './close.ts';
import { Draft } from './draft.ts';
import type { CoreEnv } from './draft.ts';
import type { EventTable } from './event-table.ts';
import { externalEvents } from './external.ts';
import { defaultLimits } from './limits.ts';
import type { Limits } from './limits.ts';
import type { HistoryEvent } from './proto.ts';
import { pauseEvents } from './pause.ts';
import { runOptionEvents } from './run-options.ts';
import { signalEvents } from './signal.ts';
import { emptyRun, startEvents } from './start.ts';
import type { RunSeed } from './start.ts';
import type { RunState } from './state.ts';
import { numberOf } from './time.ts';
import { timerEvents } from './timer.ts';
import { updateEvents } from './update.ts';
import { workflowTaskEvents } from './workflow-task.ts';

/** An event type that is not in it changes nothing. */
const eventTable: EventTable = {
  ...startEvents,
  ...closeEvents,
  ...workflowTaskEvents,
  ...activityEvents,
  ...timerEvents,
  ...childEvents,
  ...externalEvents,
  ...signalEvents,
  ...cancelEvents,
  ...attributeEvents,
  ...updateEvents,
  ...pauseEvents,
  ...runOptionEvents,
};

/** What one event does to the state; its id is not yet counted. */
export function applyEvent(draft: Draft, event: HistoryEvent): void {
  if (event.eventType) eventTable[event.eventType]?.(draft, event);
}

/** Applies recorded events, ids and all, without adding them to the draft's batch. */
export function replay(draft: Draft, events: readonly HistoryEvent[]): void {
  for (const event of events) {
    draft.state.nextEventId = numberOf(event.eventId) + 1;
    applyEvent(draft, event);
  }
}

export function rebuildState(
  events: readonly HistoryEvent[],
  seed: RunSeed,
  limits: Limits = defaultLimits,
): RunState {
  const env: CoreEnv = { now: 0, random: { next: () => 0, uuid: () => '' }, limits };
  const draft = new Draft(emptyRun(seed), env);
  replay(draft, events);
  return draft.state;
}
