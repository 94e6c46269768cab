/**
 * What becomes of the attempts that a commit started for this process when it is not known whether it was written.
 * Nobody runs them, so they end as with a process that died: they begin anew without using up a retry (decision 11).
 * What the same runs had under way before goes on here, and is answered when the store can be reached.
 */
import type { Clock } from '../service/clock.ts';
import { isServiceError } from '../service/service-error.ts';
import type { RunKey } from '../store/store.ts';
import type { Quarantine } from './quarantine.ts';
import type { Part, Unit } from './unit.ts';

const retryMs = 1_000;

export interface UncertainStarts {
  readonly key: RunKey;
  readonly requestIds: readonly string[];
}

/** What a unit has started for that process, by run. */
export function startsIn(unit: Unit, processId: string): UncertainStarts[] {
  return unit.parts
    .map((part) => ({ key: part.run.key, requestIds: requestIdsIn(part, processId) }))
    .filter(({ requestIds }) => requestIds.length > 0);
}

function requestIdsIn({ run, state }: Part, processId: string): string[] {
  const { workflowTask: task, activities } = state;
  const requestIds: string[] = [];
  if (task && task.startedEventId !== 0 && task.processId === processId) {
    if (run.state?.workflowTask?.requestId !== task.requestId) requestIds.push(task.requestId);
  }
  for (const activity of activities.values()) {
    if (activity.startedTime === 0 || activity.processId !== processId) continue;
    const former = run.state?.activities.get(activity.scheduledEventId);
    if (former?.startRequestId !== activity.startRequestId) {
      requestIds.push(activity.startRequestId);
    }
  }
  return requestIds;
}

export interface EndStartsOptions {
  /** Ends what that run has under way under those request ids. */
  readonly lose: (starts: UncertainStarts) => Promise<unknown>;
  readonly clock: Clock;
  readonly quarantine: Quarantine;
  /** Whether nothing is begun any more. */
  readonly isOver: () => boolean;
  readonly inBackground: (what: string, work: () => Promise<void>) => void;
}

/** Tries again until the store can be reached. */
export function endStarts(options: EndStartsOptions, starts: UncertainStarts): void {
  const { lose, clock, quarantine, isOver, inBackground } = options;
  inBackground('Ending attempts that may not run', async () => {
    try {
      await lose(starts);
    } catch (error) {
      if (isServiceError(error, 'NOT_FOUND') || isOver()) return;
      if (quarantine.takes(error)) return;
      clock.setTimer(retryMs, () => {
        if (!isOver()) endStarts(options, starts);
      });
      throw error;
    }
  });
}
