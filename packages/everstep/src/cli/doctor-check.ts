/** A line of the doctor's. */
export type CheckState = 'ok' | 'warn' | 'fail';

export interface Check {
  /** Stable, for scripts: `node`, `store`, `disk`, … */
  readonly name: string;
  readonly state: CheckState;
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
}
