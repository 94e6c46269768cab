/** How clients ask: some process, for a while, and again with the same request id while nothing is known. */
import { ServiceError } from '../../src/service/service-error.ts';
import type { OperatorService } from '../../src/service/operator-service.ts';
import type { WorkflowService } from '../../src/service/workflow-service.ts';
import type { Chance } from '../chance.ts';
import type { Archive, Violation } from './archive.ts';
import type { Intent, Ledger } from './ledger.ts';
import type { RuleCoverage } from './rule-coverage.ts';
import type { Timeline } from './timeline.ts';

export const patienceMs = 6_000;

export interface ClientWorld {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly ledger: Ledger;
  readonly archive: Archive;
  readonly coverage: RuleCoverage;
  /** As `someService`, of its operator. */
  someOperator(): OperatorService | undefined;
  /** Of some process that lives; undefined when none does. */
  someService(): WorkflowService | undefined;
  violated(violation: Violation): void;
}

type Ask<R> = (service: WorkflowService) => Promise<R>;

export class Caller {
  readonly #world: ClientWorld;

  constructor(world: ClientWorld) {
    this.#world = world;
  }

  /** The answer, or what became of it: an error of the service, or nothing in time. */
  async once<R>(
    ask: Ask<R>,
  ): Promise<{ readonly value: R } | { readonly error: ServiceError | undefined }> {
    const service = this.#world.someService();
    if (!service) return { error: undefined };
    const asked = ask(service).then(
      (value) => ({ value }),
      (error: unknown) => {
        if (error instanceof ServiceError) return { error };
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#world.violated({ invariant: 0, what: `a client was answered with ${text}` });
        return { error: undefined };
      },
    );
    let timer: { cancel(): void } | undefined;
    const patience = new Promise<{ readonly error: undefined }>((resolve) => {
      timer = this.#world.timeline.after(patienceMs, () => resolve({ error: undefined }));
    });
    const outcome = await Promise.race([asked, patience]);
    timer?.cancel();
    return outcome;
  }

  /** Asks again, of any process, while it is not known whether it was done. */
  async patiently<R>(
    ask: Ask<R>,
    intent?: Intent,
    runIdOf?: (reply: R) => string | undefined,
  ): Promise<R | undefined> {
    const { chance, ledger, timeline } = this.#world;
    for (let tries = 0; tries < 4; tries += 1) {
      const outcome = await this.once(ask);
      if ('value' in outcome) {
        if (intent) {
          const runId = runIdOf?.(outcome.value) ?? '';
          if (!runIdOf || runId !== '') ledger.acknowledge(intent, runId);
          // Answered, and asked once more: the same request has its effect once.
          if (chance.next() < 0.15) await this.#askAgain(ask, intent);
        }
        return outcome.value;
      }
      if (outcome.error && !outcome.error.retryable) {
        this.#world.coverage.answered(outcome.error);
        return undefined;
      }
      await timeline.wait(chance.whole(50, 1_500));
    }
    return undefined;
  }

  async #askAgain<R>(ask: Ask<R>, { kind }: Intent): Promise<void> {
    const again = await this.once(ask);
    if ('value' in again && kind === 'start') this.#world.coverage.hit('ID-1');
  }
}
