import type { Verb } from '../verb.ts';
import { runOf } from './request-run.ts';

/** A worker that forgets a run says so, so that its next task goes to the normal queue. */
export const resetStickyTaskQueue: Verb<'resetStickyTaskQueue'> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  const run = await runOf(context, namespace.namespaceId, request.execution);
  await context.executor.submitTo(run, { kind: 'clearStickiness' });
  return {};
};
