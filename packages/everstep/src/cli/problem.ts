/** What went wrong, as a command says it: one line, and the exit code. */
import { CommanderError } from 'commander';
import { EverstepError } from '../service/error-codes.ts';
import { StoreError } from '../store/store.ts';

/** The command did what it was asked; it could not, or the answer is bad; it was asked in a way that means nothing. */
export const exitCodes = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** Codes of errors that the command line itself has caused. */
const usageCodes: ReadonlySet<string> = new Set([
  'COMPONENT_OPTIONS_INVALID',
  'LIST_QUERY_INVALID',
  'STORE_URL_INVALID',
  'SUBMIT_OPTIONS_INVALID',
  'TASK_ID_INVALID',
  'TASK_OPTIONS_INVALID',
]);

export interface Problem {
  /** An error code, `USAGE`, or `FAILED`. */
  readonly code: string;
  readonly message: string;
  readonly taskId?: string;
  readonly exitCode: number;
}

export function problemOf(error: unknown): Problem {
  if (error instanceof CommanderError) {
    const message = oneLine(error.message.replace(/^error: /, ''));
    return { code: 'USAGE', message, exitCode: exitCodes.usage };
  }
  if (error instanceof EverstepError || error instanceof StoreError) {
    const taskId = error instanceof EverstepError ? error.taskId : undefined;
    return {
      code: error.code,
      message: oneLine(error.message.replace(/^AsyncTaskComponent: /, '')),
      ...(taskId !== undefined && { taskId }),
      exitCode: usageCodes.has(error.code) ? exitCodes.usage : exitCodes.failure,
    };
  }
  if (error instanceof RangeError) {
    return { code: 'USAGE', message: oneLine(error.message), exitCode: exitCodes.usage };
  }
  const { details, message } = Object(error) as { details?: unknown; message?: unknown };
  const said = String(details || message || error);
  return { code: 'FAILED', message: oneLine(said), exitCode: exitCodes.failure };
}

export function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').trim();
}
