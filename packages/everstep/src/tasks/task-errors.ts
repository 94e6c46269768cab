/**
 * Errors of a task's code or of its place in the history, found while it is driven. They fail the workflow task,
 * never the run: the run waits for corrected code (decision 9). The codes are the `type` of the failure that stands
 * in the history.
 */
import { ApplicationFailure } from '@temporalio/common';

export const taskErrorCodes = [
  'KEY_INVALID',
  'KEY_TAKEN_TWICE',
  'KEY_CHANGED_KIND',
  'STEP_OPTIONS_INVALID',
  'OPERATION_UNKNOWN',
  'REMOTE_JOB_INVALID',
  'CODE_STALLED',
  'CONTEXT_MISUSED',
  'TASK_KIND_CHANGED',
  'PAYLOAD_UNREADABLE',
  'HISTORY_INCOMPLETE',
  'TASK_UNKNOWN',
  'WORKER_DEFECT',
] as const;

export type TaskErrorCode = (typeof taskErrorCodes)[number];

export class TaskCodeError extends Error {
  override readonly name = 'TaskCodeError';
  readonly code: TaskErrorCode;

  constructor(code: TaskErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

/** `instanceof` looks at what was thrown, which a proxy can answer with a throw. */
export function isThrown<T extends Error>(
  thrown: unknown,
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever its constructor takes
  type: abstract new (...args: any[]) => T,
): thrown is T {
  try {
    return thrown instanceof type;
  } catch {
    return false;
  }
}

/** `type` of the failures that a step or a task ends with for reasons of its values. */
export const stepFailureTypes = {
  resultNotSerializable: 'RESULT_NOT_SERIALIZABLE',
  resultTooLarge: 'RESULT_TOO_LARGE',
  resultInvalid: 'RESULT_INVALID',
  stepUnknown: 'STEP_UNKNOWN',
  inputNotSerializable: 'INPUT_NOT_SERIALIZABLE',
  inputTooLarge: 'INPUT_TOO_LARGE',
} as const;

/** The code as it is now does not ask for a step that was scheduled; a process with other code may. */
export function stepUnknown(key: string): ApplicationFailure {
  return ApplicationFailure.create({
    message: `The task's code no longer has the step "${key}", or no longer comes to it`,
    type: stepFailureTypes.stepUnknown,
  });
}
