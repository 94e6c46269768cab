/** How each event changes the state: one entry an event type, shared by live transitions and rebuild.ts. */
import type { Draft } from './draft.ts';
import type { EventType, HistoryEvent } from './proto.ts';

type ApplyEvent = (draft: Draft, event: HistoryEvent) => void;
export type EventTable = Partial<Record<EventType, ApplyEvent>>;
