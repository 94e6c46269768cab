import { createSchedule as createdSchedule } from '../../core/schedule/schedule.ts';
import type { CreateScheduleArgs } from '../../core/schedule/schedule.ts';
import { patchProblem } from '../../core/schedule/schedule-request.ts';
import { isOpen } from '../../core/state.ts';
import { ServiceError } from '../../service/service-error.ts';
import type { EngineContext } from '../context.ts';
import { errorOf } from '../executor.ts';
import {
  canonicalSchedule,
  checkScheduleId,
  checkedAttributes,
  encodeConflictToken,
  schedulesNamespaceId,
} from '../schedules.ts';
import { newUnit, settled } from '../unit.ts';
import type { LiveRun } from '../unit.ts';
import type { Verb } from '../verb.ts';

/** A request that is repeated answers as it did; an id that is taken is refused. */
export const createSchedule: Verb<'createSchedule'> = async (context, request) => {
  const namespace = await context.namespaces.getFor(
    request.namespace,
    request.searchAttributes,
    request.schedule?.action?.startWorkflow?.searchAttributes,
  );
  const scheduleId = request.scheduleId ?? '';
  checkScheduleId(context, scheduleId);
  const schedule = canonicalSchedule(context, namespace, request.schedule);
  const problem = patchProblem(request.initialPatch);
  if (problem) throw new ServiceError(problem);
  const args: CreateScheduleArgs = {
    namespaceId: schedulesNamespaceId(namespace.namespaceId),
    namespace: namespace.name,
    workflowsNamespaceId: namespace.namespaceId,
    scheduleId,
    runId: context.random.uuid(),
    requestId: request.requestId || context.random.uuid(),
    schedule,
    initialPatch: request.initialPatch ?? null,
    memo: request.memo ?? null,
    searchAttributes: checkedAttributes(context, namespace, request.searchAttributes) ?? null,
  };
  const conflictToken = await create(context, args);
  return { conflictToken: encodeConflictToken(conflictToken) };
};

async function create(context: EngineContext, args: CreateScheduleArgs): Promise<number> {
  for (;;) {
    const current = await atRest(context, args);
    const state = current?.state;
    // Also when the schedule has been deleted meanwhile: the request has had its effect.
    if (state?.createRequestId === args.requestId) return 1;
    if (state && isOpen(state)) {
      throw new ServiceError({
        code: 'ALREADY_EXISTS',
        message: 'schedule with this ID is already registered',
        detail: {
          kind: 'workflowExecutionAlreadyStarted',
          startRequestId: state.createRequestId,
          runId: state.runId,
        },
      });
    }
    const made = createdSchedule(args, context.executor.env());
    const done = await new Promise<boolean>((resolve, reject) => {
      const unit = newUnit();
      unit.restart = () => {
        resolve(false);
      };
      const replaced = current ? [{ run: current, made: undefined }] : [];
      context.executor.addTransitions(unit, replaced, made, (outcome) => {
        if (outcome.ok) resolve(true);
        else reject(errorOf(outcome) as Error);
      });
    });
    if (done) return made.state.schedule?.conflictToken ?? 1;
  }
}

/** What the id has now; one that is being changed is waited for. */
async function atRest(
  context: EngineContext,
  { namespaceId, scheduleId }: CreateScheduleArgs,
): Promise<LiveRun | undefined> {
  for (;;) {
    const current = await context.executor.locateCurrent(namespaceId, scheduleId);
    if (!current?.part) return current;
    await settled(current.part.unit);
  }
}
