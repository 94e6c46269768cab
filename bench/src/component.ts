/** A component for the benchmark: it says nothing, and warnings are errors of the measurement. */
import { AsyncTaskComponent, type Logger, type Store } from 'everstep';
import type { BenchTasks } from './tasks.ts';

const complain = (message: string, fields?: unknown): void => {
  console.error('everstep:', message, fields ?? '');
};
const logger: Logger = { debug() {}, info() {}, warn: complain, error: complain };

export async function startComponent(
  store: string | Store,
  tasks: BenchTasks,
  options: { readonly worker: boolean; readonly concurrency?: number },
): Promise<AsyncTaskComponent> {
  const component = new AsyncTaskComponent({ store, logger, ...options });
  component.registerAll([tasks.oneStep, tasks.fiveSteps, tasks.resumed]);
  await component.start();
  return component;
}

/** Counted by the store, through the official client. */
export async function completedTasks(component: AsyncTaskComponent): Promise<number> {
  const { count } = await component.getClient().workflow.count("ExecutionStatus = 'Completed'");
  return count;
}
