import { scheduleOf, submitToSchedule } from '../schedules.ts';
import type { Verb } from '../verb.ts';

/** The workflows it has started go on. */
export const deleteSchedule: Verb<'deleteSchedule'> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  const scheduleId = request.scheduleId ?? '';
  const { run } = await scheduleOf(context, namespace, scheduleId);
  await submitToSchedule(context, namespace, scheduleId, { kind: 'deleteSchedule' });
  if (run.ref !== undefined) await context.store.runs.delete({ refs: [run.ref] });
  context.executor.drop(run);
  return {};
};
