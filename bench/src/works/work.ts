import type { Figures } from '../row.ts';
import type { Stage } from '../stage.ts';

interface Setting {
  /** Not open yet. */
  readonly stage: Stage;
  /** Of the same store, for another process. */
  readonly storeUrl: string;
  readonly n: number;
}

/** Warms up, measures, checks what came out, and leaves the stage open. @throws Error when something is wrong. */
export type Work = (setting: Setting) => Promise<readonly Figures[]>;

/** So much of the work itself goes before what is measured: until then the code is still being compiled. */
export function warmUpOf(n: number): number {
  return Math.min(4_000, 5 * n, Math.max(500, n));
}
