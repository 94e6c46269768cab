/**
 * What clients asked for and what they were told. An acknowledged request has its effect from the moment of its
 * acknowledgement on (8). That a request has its effect once at most (9, 10) is counted by the archive.
 */
import type { Archive, Violation } from './archive.ts';

export interface Intent {
  /** Found again in the effect; for a start, its request id. */
  readonly token: string;
  readonly kind:
    | 'start'
    | 'signal'
    | 'cancel'
    | 'terminate'
    | 'step'
    | 'delete'
    | 'update'
    | 'schedule'
    | 'batch'
    | 'pause'
    | 'unpause';
  readonly workflowId: string;
  acknowledged: boolean;
  /** Named by the reply. */
  runId: string;
}

export class Ledger {
  readonly intents: Intent[] = [];
  readonly #archive: Archive;
  readonly #violated: (violation: Violation) => void;
  #tokens = 0;

  constructor(archive: Archive, violated: (violation: Violation) => void) {
    this.#archive = archive;
    this.#violated = violated;
  }

  /** Written down before the request leaves. */
  intend(kind: Intent['kind'], workflowId: string, token = this.token(kind)): Intent {
    const intent: Intent = { token, kind, workflowId, acknowledged: false, runId: '' };
    this.intents.push(intent);
    return intent;
  }

  token(kind: string): string {
    this.#tokens += 1;
    return `${kind}-${this.#tokens}`;
  }

  acknowledge(intent: Intent, runId = ''): void {
    intent.acknowledged = true;
    intent.runId = runId;
    this.#checkEffect(intent, 'when it was acknowledged');
  }

  get acknowledged(): number {
    return this.intents.filter((intent) => intent.acknowledged).length;
  }

  /** 8, at the end. */
  check(): void {
    for (const intent of this.intents) {
      if (intent.acknowledged) this.#checkEffect(intent, 'at the end');
    }
  }

  #checkEffect(intent: Intent, when: string): void {
    if (this.#hasEffect(intent)) return;
    this.#violated({
      invariant: 8,
      what: `${intent.kind} ${intent.token} of ${intent.workflowId} has no effect ${when}`,
    });
  }

  #hasEffect({ kind, token, workflowId, runId }: Intent): boolean {
    if (kind === 'start') return this.#archive.byRunId.has(runId);
    if (kind === 'delete') return this.#archive.byRunId.get(runId)?.deleted === true;
    const records = this.#archive.recordsOf(workflowId);
    if (kind === 'schedule' || kind === 'batch') return records.length > 0;
    // A second cancel, and the cancel of a closed run, succeed and add no event (SG-5).
    if (kind === 'cancel') {
      return records.some(({ state, closedAt }) => state?.cancelRequested === true || closedAt > 0);
    }
    return records.some((record) => record.has(token));
  }
}
