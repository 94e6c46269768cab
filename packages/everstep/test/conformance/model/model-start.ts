/** What a start asks for, as the model understands it, and which commands end a run. */
import type { ScriptCommand, StartOptions } from '../scripts/action.ts';
import { shorter } from './model-commands.ts';
import type { RunSettings } from './model-run.ts';

export function isClose({ command }: ScriptCommand): boolean {
  return ['complete', 'fail', 'cancel', 'continueAsNew'].includes(command);
}

/** Section 14, as far as the scripts go wrong. */
export function isFit({ flaw, executionTimeout, runTimeout, retry }: StartOptions): boolean {
  if (flaw === 'negative') return executionTimeout === undefined && runTimeout === undefined;
  if (flaw !== undefined) return false;
  if (!retry || retry.attempts === 1) return true;
  const { attempts, intervalSeconds, coefficient = 2, maximumSeconds = 0 } = retry;
  const shortMaximum = maximumSeconds !== 0 && maximumSeconds < intervalSeconds;
  return attempts >= 0 && intervalSeconds >= 0 && coefficient >= 1 && !shortMaximum;
}

/** MS-2, WT-2. */
export function settingsOf(options: StartOptions, requestId: string, now: number): RunSettings {
  const executionTimeoutMs = (options.executionTimeout ?? 0) * 1_000;
  const runTimeoutMs = shorter((options.runTimeout ?? 0) * 1_000, executionTimeoutMs);
  const taskTimeoutMs = Math.min((options.taskTimeout ?? 100) * 1_000, 120_000);
  return {
    requestId,
    attempt: 1,
    backoffMs: (options.delaySeconds ?? 0) * 1_000,
    runTimeoutMs,
    executionTimeoutMs,
    expiresAt: executionTimeoutMs > 0 ? now + executionTimeoutMs : 0,
    taskTimeoutMs: shorter(taskTimeoutMs, runTimeoutMs),
    retry: options.retry,
    parent: undefined,
  };
}
