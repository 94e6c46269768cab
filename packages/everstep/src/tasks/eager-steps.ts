/**
 * Steps that come with the answer to the workflow task that scheduled them, where the service grants it. For each that
 * is asked for a place is held until the answer is there.
 */
import type { temporal } from '@temporalio/proto';
import type { ActivityTask, LocalWorker, StepSlot } from '../service/local-worker.ts';

type Command = temporal.api.command.v1.ICommand;
/** By activity id. */
type Slots = ReadonlyMap<string, StepSlot>;

/** Of one workflow task; the rest of a wide fan-out is shared with other workers by its queue. */
const askedMax = 3;

export function askEagerly(
  worker: LocalWorker,
  commands: readonly Command[],
): { readonly commands: Command[]; readonly slots: Slots } {
  const slots = new Map<string, StepSlot>();
  const asking = commands.map((command) => {
    const step = command.scheduleActivityTaskCommandAttributes;
    const activityId = step?.activityId ?? '';
    if (!step || slots.size >= askedMax || slots.has(activityId)) return command;
    const slot = worker.reserveStep(step.taskQueue?.name ?? '', step.activityType?.name ?? '');
    if (!slot) return command;
    slots.set(activityId, slot);
    const attributes = { ...step, requestEagerExecution: true };
    return { ...command, scheduleActivityTaskCommandAttributes: attributes };
  });
  return { commands: asking, slots };
}

/** Starts what came, and gives back the places of what did not. */
export function startGranted(
  worker: LocalWorker,
  slots: Slots,
  granted: readonly ActivityTask[],
): void {
  const unused = new Map(slots);
  for (const task of granted) {
    const slot = unused.get(task.activityId ?? '');
    if (!slot) continue;
    unused.delete(task.activityId ?? '');
    worker.startStep(slot, task);
  }
  for (const slot of unused.values()) slot.release();
}
