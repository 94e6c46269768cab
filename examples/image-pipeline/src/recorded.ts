/** Steps that keep the worker's ledger, so that the demo can prove afterwards what ran and how often. */
import { appendEntry } from './ledger.ts';
import { places } from './settings.ts';

/** What is used here of the context that a step gets. */
interface Attempt {
  readonly attempt: number;
  readonly idempotencyKey: string;
}

/** The same step, with a line in the ledger when it starts and another when it ends. */
export function recorded<Context extends Attempt, Result>(
  taskId: string,
  key: string,
  run: (context: Context) => Promise<Result>,
): (context: Context) => Promise<Result> {
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
