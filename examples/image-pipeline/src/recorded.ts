/** Steps that keep the worker's ledger, so that the demo can prove afterwards what ran and how often. */
import type { StepContext } from 'everstep';
import { appendEntry } from './ledger.ts';
import { places } from './settings.ts';

/** The same step, with a line in the ledger when it starts and another when it ends. */
export function recorded<Result>(
  taskId: string,
  key: string,
  run: (context: StepContext) => Promise<Result>,
): (context: StepContext) => Promise<Result> {
  return async (context) => {
    const { attempt, idempotencyKey } = context;
    const record = (event: 'started' | 'finished' | 'failed'): void =>
      appendEntry(places().workerLedger, {
        event,
        taskId,
        key,
        attempt,
        idempotencyKey,
        worker: process.pid,
        at: Date.now(),
      });
    record('started');
    try {
      const result = await run(context);
      record('finished');
      return result;
    } catch (error) {
      record('failed');
      throw error;
    }
  };
}
