/** Which activities of a run a request of an operator means: one by its id, those of a type, or all. */
import type { ActivitySelector } from '../core/input.ts';
import { invalid } from './verbs/request-run.ts';

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
