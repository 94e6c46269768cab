/** Options of a run that an operator changes while it runs: its priority. */
import { accept, alreadyCompleted, refuse } from './answer.ts';
import type { Draft } from './draft.ts';
import type { EventTable } from './event-table.ts';
import type { Answer, InputOf, Replies } from './input.ts';
import { EventType } from './proto.ts';
import type { HistoryEvent, Priority } from './proto.ts';
import { isOpen } from './state.ts';

/** What changes nothing leaves no event. */
export function updateRunOptions(
  draft: Draft,
  input: InputOf<'updateRunOptions'>,
): Answer<Replies['updateRunOptions']> {
  const { state } = draft;
  if (!isOpen(state)) return alreadyCompleted();
  const before: Priority = state.priority ?? {};
  const merged: { -readonly [Field in keyof Priority]: Priority[Field] } = { ...before };
  for (const field of input.fields) {
    const [, part] = field.split('.') as [string, keyof Priority | undefined];
    const parts = part ? [part] : (['priorityKey', 'fairnessKey', 'fairnessWeight'] as const);
    for (const one of parts) {
      const value = input.priority?.[one];
      if (value === undefined || value === null) delete merged[one];
      else Object.assign(merged, { [one]: value });
    }
  }
  if ((merged.priorityKey ?? 0) < 0) {
    return refuse('INVALID_ARGUMENT', "priority key can't be negative");
  }
  if (!isSame(before, merged)) {
    const event = draft.add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED, {
      workflowExecutionOptionsUpdatedEventAttributes: {
        identity: input.identity,
        priority: merged,
      },
    });
    applyOptionsUpdated(draft, event);
  }
  return accept({ priority: merged });
}

function isSame(a: Priority, b: Priority): boolean {
  return (
    (a.priorityKey ?? 0) === (b.priorityKey ?? 0) &&
    (a.fairnessKey ?? '') === (b.fairnessKey ?? '') &&
    (a.fairnessWeight ?? 0) === (b.fairnessWeight ?? 0)
  );
}

function applyOptionsUpdated(draft: Draft, event: HistoryEvent): void {
  const priority = event.workflowExecutionOptionsUpdatedEventAttributes?.priority;
  if (priority) draft.state.priority = priority;
}

export const runOptionEvents: EventTable = {
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED]: applyOptionsUpdated,
};
