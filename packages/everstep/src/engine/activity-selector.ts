/** Which activities of a run a request of an operator means: one by its id, those of a type, or all. */
import type { OriginalOptions } from '../core/activity-option-field.ts';
import type { ActivitySelector } from '../core/input.ts';
import type { WireWorkflowExecution } from '../core/proto.ts';
import type { ActivityInfo } from '../core/state.ts';
import { msOfDuration } from '../core/time.ts';
import type { EngineContext } from './context.ts';
import { freshRunOf, invalid } from './verbs/request-run.ts';

export function selectorOf(request: {
  readonly id?: string | null;
  readonly type?: string | null;
  readonly unpauseAll?: boolean | null;
  readonly matchAll?: boolean | null;
}): ActivitySelector {
  if (request.id) return { by: 'id', activityId: request.id };
  if (request.type) return { by: 'type', activityType: request.type };
  if (request.unpauseAll || request.matchAll) return { by: 'all' };
  throw invalid('Either activity ID or activity type must be set on request.');
}

export function jitterOf(request: { readonly jitter?: Duration | null }): number {
  const ms = msOfDuration(request.jitter);
  if (ms < 0) throw invalid('jitter is negative; expected a duration of 0 or more.');
  return ms;
}
type Duration = Parameters<typeof msOfDuration>[0];

/** What the scheduled events of those that are pending now say; one that is scheduled later has its own already. */
export async function originalOptionsOf(
  context: EngineContext,
  namespaceId: string,
  execution: WireWorkflowExecution | null | undefined,
  selector: ActivitySelector,
): Promise<OriginalOptions> {
  const run = await freshRunOf(context, namespaceId, execution);
  const originals: Record<number, OriginalOptions[number]> = {};
  for (const activity of run.state?.activities.values() ?? []) {
    if (!selects(selector, activity)) continue;
    const event = await context.history.event(run, activity.scheduledEventId);
    const attributes = event?.activityTaskScheduledEventAttributes;
    if (attributes) originals[activity.scheduledEventId] = attributes;
  }
  return originals;
}

function selects(selector: ActivitySelector, activity: ActivityInfo): boolean {
  switch (selector.by) {
    case 'id':
      return activity.activityId === selector.activityId;
    case 'type':
      return activity.activityType === selector.activityType;
    case 'all':
      return true;
  }
}
