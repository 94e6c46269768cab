/** What a task's code yields, checked before it is asked: the messages say what was wrong and what is expected. */
import type { SignalOperation, SleepOperation, StepDescriptor } from './definition.ts';
import { disown, isGenerator, isPromiseLike, type GeneratorLike } from './coroutine.ts';
import { parseDuration, shown } from './duration.ts';
import { unknownField } from './known-fields.ts';
import { Operation } from './steps.ts';
import { TaskCodeError } from './task-errors.ts';

const stepFields: readonly string[] = ['key', 'call', 'retryPolicy', 'timeouts', 'shielded'];

/** What a step was given and nobody reads; undefined when there is nothing. */
export function unknownStepField(descriptor: StepDescriptor): string | undefined {
  return descriptor instanceof Operation
    ? descriptor.unknownOption
    : unknownField(descriptor, stepFields);
}

function checkWaitOptions(operation: SleepOperation | SignalOperation): void {
  if (!(operation instanceof Operation) || operation.unknownOption === undefined) return;
  throw new TaskCodeError(
    'STEP_OPTIONS_INVALID',
    `The options of a ${operation.op}: ${operation.unknownOption}`,
  );
}

/** @throws TaskCodeError STEP_OPTIONS_INVALID */
export function sleepMs(operation: SleepOperation): number {
  checkWaitOptions(operation);
  const { duration, key } = operation;
  const parsed = parseDuration(duration, 0);
  if (parsed.problem === undefined) return parsed.ms;
  throw new TaskCodeError(
    'STEP_OPTIONS_INVALID',
    `The duration of sleep${key === undefined ? '' : ` "${key}"`} ${parsed.problem}`,
  );
}

/** @throws TaskCodeError STEP_OPTIONS_INVALID */
export function checkSignalName(operation: SignalOperation): void {
  checkWaitOptions(operation);
  const { name } = operation;
  if (typeof name === 'string' && name !== '') return;
  throw new TaskCodeError(
    'STEP_OPTIONS_INVALID',
    `The name of a signal is ${shown(name)}; expected a string that is not empty`,
  );
}

/** @throws TaskCodeError OPERATION_UNKNOWN */
export function checkBranches(op: string, branches: unknown, leastBranches: number): void {
  if (Array.isArray(branches) && branches.length >= leastBranches) {
    // The first of them is refused when its turn comes, and then no other is looked at.
    for (const branch of branches) disown(branch);
    return;
  }
  throw new TaskCodeError(
    'OPERATION_UNKNOWN',
    `${op} was given ${Array.isArray(branches) ? 'an empty list' : shown(branches)}; expected a list of steps, operations or generators`,
  );
}

/** A generator that is to run as a branch; undefined for a single operation. */
export function branchGenerator(branch: unknown): GeneratorLike | undefined {
  if (typeof branch !== 'object' || branch === null || 'call' in branch || 'op' in branch) {
    return undefined;
  }
  return isGenerator(branch) ? branch : undefined;
}

export function operationUnknown(value: unknown, lastKey: string | undefined): TaskCodeError {
  disown(value);
  const after = lastKey === undefined ? 'first' : `after the key "${lastKey}"`;
  return new TaskCodeError(
    'OPERATION_UNKNOWN',
    `${yielded(value)} was yielded ${after}; expected a step { key, call }, or what step, all, sleep or signal return`,
  );
}

function yielded(value: unknown): string {
  if (isPromiseLike(value)) return 'A promise';
  if (isGenerator(value)) return 'A generator (delegate to it with yield*)';
  return value === undefined ? 'Nothing' : shown(value);
}
