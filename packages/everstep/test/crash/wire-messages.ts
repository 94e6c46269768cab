/** What the parts of the wire crash test agree on. Workflow code imports it, so it imports nothing. */
export const wireQueue = 'wire';

export interface Journey {
  readonly id: string;
  /** How long its activities and its sleep take. */
  readonly ms: readonly [number, number, number];
  /** Signals and updates that will be sent. */
  readonly signals: number;
  readonly updates: number;
  readonly laps: number;
}

export interface JourneyEnd {
  readonly tokens: readonly string[];
  readonly signals: readonly number[];
  readonly updates: readonly number[];
  /** Drawn in the workflow at its beginning and again as it was kept at the end. */
  readonly drawn: boolean;
}

/** Decisions in the history of each kind of run, whatever was killed meanwhile. */
export const decisionsOf = {
  journey: { activities: 3, timers: 2, children: 1, markers: 2 },
  lap: { activities: 1, timers: 1, children: 0, markers: 0 },
} as const;
