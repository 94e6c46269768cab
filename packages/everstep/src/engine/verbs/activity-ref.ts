import type { ActivityRef } from '../../core/input.ts';
import type { RunKey } from '../../store/store.ts';
import type { EngineContext } from '../context.ts';
import type { LiveRun } from '../unit.ts';
import { runNotFound } from '../executor.ts';
import { decodeTaskToken } from '../task-token.ts';
import { invalid, runOf } from './request-run.ts';

export interface NamedActivity {
  readonly run: LiveRun;
  readonly activity: ActivityRef;
}

/** AC-5: the activity that a task token names. */
export async function byToken(
  context: EngineContext,
  request: { readonly namespace?: string | null; readonly taskToken?: Uint8Array | null },
): Promise<NamedActivity> {
  const namespace = await context.namespaces.get(request.namespace);
  const { key, token } = decodeTaskToken('activity', request.taskToken, namespace.namespaceId);
  const run = await context.executor.locate(key as RunKey);
  if (!run) throw runNotFound(key);
  return { run, activity: { by: 'token', token } };
}

export async function byId(
  context: EngineContext,
  request: {
    readonly namespace?: string | null;
    readonly workflowId?: string | null;
    readonly runId?: string | null;
    readonly activityId?: string | null;
  },
): Promise<NamedActivity> {
  const namespace = await context.namespaces.get(request.namespace);
  if (!request.activityId) throw invalid('activityID cannot be empty');
  const run = await runOf(context, namespace.namespaceId, {
    workflowId: request.workflowId ?? '',
    runId: request.runId ?? '',
  });
  return { run, activity: { by: 'id', activityId: request.activityId } };
}
