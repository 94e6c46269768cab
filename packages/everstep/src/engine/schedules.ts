/**
 * Schedules by their ids. A schedule is a run of its own kind, kept beside the workflows in a namespace id that no
 * request can name: so its id never meets a workflow's, lists hold one kind only, and commits, wake-ups, the outbox
 * and the death of processes are those of any run.
 */
import type { InputOf } from '../core/input.ts';
import type { SearchAttributes } from '../core/proto.ts';
import { searchAttributesProblem } from '../core/start-request.ts';
import { isOpen } from '../core/state.ts';
import type { RunState } from '../core/state.ts';
import { checkSchedule, scheduleIdProblem } from '../core/schedule/schedule-request.ts';
import type { ScheduleInput } from '../core/schedule/schedule-input.ts';
import type { ScheduleState, WireSchedule } from '../core/schedule/schedule-state.ts';
import { ServiceError, isServiceError } from '../service/service-error.ts';
import type { EngineContext } from './context.ts';
import type { Namespace } from './namespaces.ts';
import { typedAttributes } from './search-attributes.ts';
import { startRules } from './starts.ts';
import type { LiveRun } from './unit.ts';
import { freshRunOf } from './verbs/request-run.ts';

export function schedulesNamespaceId(namespaceId: string): string {
  return `${namespaceId}/schedules`;
}

export interface FoundSchedule {
  readonly run: LiveRun;
  readonly state: RunState;
  readonly schedule: ScheduleState;
}

export async function scheduleOf(
  context: EngineContext,
  { namespaceId }: Namespace,
  scheduleId: string,
): Promise<FoundSchedule> {
  checkScheduleId(context, scheduleId);
  let run: LiveRun;
  try {
    run = await freshRunOf(context, schedulesNamespaceId(namespaceId), { workflowId: scheduleId });
  } catch (error) {
    throw isServiceError(error, 'NOT_FOUND') ? scheduleNotFound(scheduleId) : error;
  }
  const { state } = run;
  if (!state?.schedule || !isOpen(state)) throw scheduleNotFound(scheduleId);
  return { run, state, schedule: state.schedule };
}

/** Applies an input to the schedule as it is by then. */
export async function submitToSchedule<K extends ScheduleInput['kind']>(
  context: EngineContext,
  namespace: Namespace,
  scheduleId: string,
  input: InputOf<K>,
): Promise<void> {
  const { run } = await scheduleOf(context, namespace, scheduleId);
  try {
    await context.executor.submitTo<K>(run, input);
  } catch (error) {
    throw isServiceError(error, 'NOT_FOUND') ? scheduleNotFound(scheduleId) : error;
  }
}

/** In canonical form, with the types of its workflows' search attributes; refuses what cannot be one. */
export function canonicalSchedule(
  context: EngineContext,
  namespace: Namespace,
  schedule: WireSchedule | null | undefined,
): WireSchedule {
  const checked = checkSchedule(schedule, context.executor.env());
  if (!checked.ok) throw new ServiceError(checked.refusal);
  const { value } = checked;
  const workflow = value.action?.startWorkflow;
  if (!workflow?.searchAttributes) return value;
  const typed = checkedAttributes(context, namespace, workflow.searchAttributes);
  return {
    ...value,
    action: { startWorkflow: { ...workflow, searchAttributes: typed ?? null } },
  };
}

/** With their types; refuses what a run could not have (VS-2). */
export function checkedAttributes(
  context: EngineContext,
  namespace: Namespace,
  attributes: SearchAttributes | null | undefined,
): SearchAttributes | null | undefined {
  const problem = searchAttributesProblem(attributes, startRules(context, namespace));
  if (problem !== undefined) throw new ServiceError({ code: 'INVALID_ARGUMENT', message: problem });
  return typedAttributes(attributes, namespace.config.searchAttributes);
}

export function checkScheduleId(context: EngineContext, scheduleId: string): void {
  const refusal = scheduleIdProblem(scheduleId, { limits: context.coreLimits });
  if (refusal) throw new ServiceError(refusal);
}

function scheduleNotFound(scheduleId: string): ServiceError {
  return new ServiceError({
    code: 'NOT_FOUND',
    message: `schedule not found for ID: ${scheduleId}`,
    detail: { kind: 'notFound' },
  });
}

/** As it travels: eight bytes, most significant first. */
export function encodeConflictToken(token: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(token));
  return bytes;
}

/** 0 = none was sent. */
export function decodeConflictToken(bytes: Uint8Array | null | undefined): number {
  if (!bytes || bytes.length === 0) return 0;
  if (bytes.length !== 8) {
    throw new ServiceError({
      code: 'INVALID_ARGUMENT',
      message: 'conflict_token is not one that DescribeSchedule has given.',
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Number(view.getBigUint64(0));
}
