/** A schedule's state as it stands in the JSON of its run's state (state-codec.ts). */
import proto from '@temporalio/proto';
import type { Failure, Payloads, SearchAttributes } from '../proto.ts';
import { wireField } from '../wire-field.ts';
import type { WireType } from '../wire-field.ts';
import type { ScheduleState, WireSchedule } from './schedule-state.ts';

const { common, failure, schedule } = proto.temporal.api;
const schedules = wireField(schedule.v1.Schedule as WireType<WireSchedule>);
const attributes = wireField(common.v1.SearchAttributes as WireType<SearchAttributes>);
const payloads = wireField(common.v1.Payloads as WireType<Payloads>);
const failures = wireField(failure.v1.Failure as WireType<Failure>);

type Stored = { readonly [Field in keyof ScheduleState]: unknown };

/** Everything that is no message is stored as it is. */
export function encodeSchedule(state: ScheduleState): Stored {
  const { searchAttributes, lastCompletionResult, continuedFailure } = state;
  return {
    ...state,
    schedule: schedules.encode(state.schedule),
    searchAttributes: searchAttributes && attributes.encode(searchAttributes),
    lastCompletionResult: lastCompletionResult && payloads.encode(lastCompletionResult),
    continuedFailure: continuedFailure && failures.encode(continuedFailure),
  };
}

export function decodeSchedule(stored: Stored): ScheduleState {
  const { searchAttributes, lastCompletionResult, continuedFailure } = stored;
  return {
    ...(stored as ScheduleState),
    schedule: schedules.decode(stored.schedule as string),
    searchAttributes: optional(searchAttributes, attributes.decode),
    lastCompletionResult: optional(lastCompletionResult, payloads.decode),
    continuedFailure: optional(continuedFailure, failures.decode),
  };
}

function optional<T>(stored: unknown, decode: (text: string) => T): T | undefined {
  return typeof stored === 'string' ? decode(stored) : undefined;
}
