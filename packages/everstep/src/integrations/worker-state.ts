/** The life of a worker as status() tells it. The table is the rule: what is not in it does not happen. */

export type WorkerState =
  | 'created'
  | 'starting'
  | 'running'
  /** It ended or could not start; it is started again after a while. */
  | 'backing-off'
  /** It takes no more work and waits for what runs. */
  | 'draining'
  | 'stopped'
  /** What it would run cannot be used as it is: it is not tried again until start() is called. */
  | 'failed';

/**
 * `start`: it is begun, by a call or after a wait. `up`: it takes work. `lost`: it ended unasked. `refused`: what it
 * would run cannot be used. `drain`: it was told to stop. `end`: nothing of it runs any more.
 */
export type WorkerEvent = 'start' | 'up' | 'lost' | 'refused' | 'drain' | 'end';

const transitions: Readonly<
  Record<WorkerState, Readonly<Partial<Record<WorkerEvent, WorkerState>>>>
> = {
  created: { start: 'starting', drain: 'stopped' },
  starting: { up: 'running', lost: 'backing-off', refused: 'failed', drain: 'draining' },
  running: { lost: 'backing-off', refused: 'failed', drain: 'draining', end: 'stopped' },
  'backing-off': { start: 'starting', drain: 'stopped' },
  draining: { end: 'stopped', lost: 'stopped', refused: 'stopped' },
  stopped: { start: 'starting' },
  failed: { start: 'starting', drain: 'stopped' },
};

/** The state that follows; undefined where that event changes nothing. */
export function nextState(state: WorkerState, event: WorkerEvent): WorkerState | undefined {
  return transitions[state][event];
}
