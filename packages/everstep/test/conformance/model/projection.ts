/** What of an event the model tells. The rest is compared with Temporal's server. */
import { list, record, text, type ObservedRun } from '../scripts/view.ts';
import type { ModelEvent } from './model-run.ts';

const fields = (
  'scheduledEventId startedEventId initiatedEventId workflowTaskCompletedEventId ' +
  'latestCancelRequestedEventId activityId timerId attempt timeoutType'
).split(' ');
/** Fields that other event types fill with what the model does not tell. */
const ofType: Readonly<Record<string, readonly string[]>> = {
  WorkflowTaskFailed: ['cause'],
  ActivityTaskFailed: ['retryState'],
  WorkflowExecutionFailed: ['retryState'],
  WorkflowExecutionTimedOut: ['retryState'],
};
/** Why a worker failed its workflow task is the worker's word. */
const serverCause = /BAD_|DUPLICATE_ID|UNHANDLED_COMMAND|FORCE_CLOSE/;

/** One line an event. */
export function linesOfRun(run: ObservedRun): string[] {
  if (!run.history.ok) return [`history: ${run.history.code}`];
  return list(record(run.history.reply['history'])['events']).map((event) => {
    const type = nameOf(text(event['eventType']));
    const key = Object.keys(event).find((name) => name.endsWith('EventAttributes')) ?? '';
    const attributes = record(event[key]);
    const timeout = record(record(attributes['failure'])['timeoutFailureInfo']);
    return line({ ...timeout, ...attributes, type });
  });
}

export function linesOfModel(events: readonly ModelEvent[]): string[] {
  return events.map((event) => line(event));
}

function line(event: { readonly type: string; readonly [field: string]: unknown }): string {
  const shown = [...fields, ...(ofType[event.type] ?? [])].flatMap((name) => {
    const value = event[name];
    const shownValue = typeof value === 'number' ? `${value}` : text(value);
    if (shownValue === '' || shownValue === '0') return [];
    if (name === 'cause' && !serverCause.test(shownValue)) return [];
    return [`${name}=${shownValue}`];
  });
  return [event.type, ...shown].join(' ');
}

/** EVENT_TYPE_TIMER_FIRED: TimerFired. */
function nameOf(eventType: string): string {
  return eventType
    .replace('EVENT_TYPE_', '')
    .toLowerCase()
    .replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
