/** What becomes of the starts that wait (SC-2). Pure; called again whenever something was added or has ended. */
import type { BufferedStart, OverlapPolicy } from './schedule-state.ts';

export interface OverlapDecision {
  /** Started now, whatever else is open. */
  readonly beside: readonly BufferedStart[];
  /** Started now, because nothing is open. */
  readonly alone: BufferedStart | undefined;
  readonly kept: readonly BufferedStart[];
  readonly skipped: number;
  /** What the open run is sent. */
  readonly end: 'cancel' | 'terminate' | undefined;
}

export function decideOverlap(
  buffered: readonly BufferedStart[],
  isRunning: boolean,
  ofSchedule: Exclude<OverlapPolicy, 'ofSchedule'>,
): OverlapDecision {
  const beside: BufferedStart[] = [];
  const kept: BufferedStart[] = [];
  let alone: BufferedStart | undefined;
  let skipped = 0;
  let end: 'cancel' | 'terminate' | undefined;
  for (const start of buffered) {
    const policy = start.overlapPolicy === 'ofSchedule' ? ofSchedule : start.overlapPolicy;
    if (policy === 'allowAll') {
      beside.push(start);
      continue;
    }
    if (!isRunning && !alone) {
      alone = start;
      continue;
    }
    switch (policy) {
      case 'skip':
        skipped += 1;
        break;
      case 'bufferOne':
        if (kept.length === 0) kept.push(start);
        else skipped += 1;
        break;
      case 'bufferAll':
        kept.push(start);
        break;
      case 'cancelOther':
      case 'terminateOther':
        if (isRunning) {
          // It is started once the open run has ended.
          if (policy === 'terminateOther') end = 'terminate';
          else end ??= 'cancel';
          kept.push(start);
        } else {
          // The one that would be started now has not begun: this one takes its place.
          alone = start;
          skipped += 1;
        }
    }
  }
  return { beside, alone, kept, skipped, end };
}
