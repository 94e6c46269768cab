/**
 * Starting runs under workflow ids (ID-1 … ID-3, SG-3). A start first assumes that the id is new and lets the
 * commit find out: the usual case costs no look-up. When somebody has the id, the store says conflict, and the
 * policy decides with the current run at hand.
 */
import type { InputOf, SignalArgs } from '../core/input.ts';
import { decideSignalWithStart, decideStart } from '../core/start-policy.ts';
import type { SignalWithStartDecision, StartDecision } from '../core/start-policy.ts';
import type { RunState } from '../core/state.ts';
import { isOpen } from '../core/state.ts';
import { ServiceError } from '../service/service-error.ts';
import { errorOf } from './executor.ts';
import type { Executor } from './executor.ts';
import type { LiveRun } from './live-run.ts';
import { newUnit } from './unit.ts';
import type { RequestOutcome } from './unit.ts';

const attemptsMax = 100;

export interface StartOutcome {
  readonly runId: string;
  /** True when this request made the run. */
  readonly started: boolean;
  readonly run: LiveRun | undefined;
}

export class Starts {
  readonly #executor: Executor;

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  start(input: InputOf<'start'>): Promise<StartOutcome> {
    return new Promise((resolve, reject) => {
      this.#attempt(input, undefined, 0, resolve, reject);
    });
  }

  /** The current run is looked up first: signalling an open one is the usual case. */
  async signalWithStart(input: InputOf<'start'>, signal: SignalArgs): Promise<StartOutcome> {
    const current = await this.#executor.locateCurrent(
      input.namespaceId,
      input.request.workflowId ?? '',
    );
    return new Promise((resolve, reject) => {
      this.#decided(current, { ...input, signal }, signal, 0, resolve, reject);
    });
  }

  #attempt(
    input: InputOf<'start'>,
    replaces: LiveRun | undefined,
    attempt: number,
    resolve: (outcome: StartOutcome) => void,
    reject: (error: unknown) => void,
    terminate?: LiveRun,
  ): void {
    const unit = newUnit();
    unit.restart = () => {
      if (attempt >= attemptsMax) {
        reject(
          new ServiceError({
            code: 'UNAVAILABLE',
            message: `Workflow id ${input.request.workflowId ?? ''} is being started by too many at once; try again.`,
          }),
        );
        return;
      }
      this.#executor
        .locateCurrent(input.namespaceId, input.request.workflowId ?? '')
        .then((current) => {
          this.#decided(current, input, input.signal, attempt + 1, resolve, reject);
        }, reject);
    };
    const settle = (outcome: RequestOutcome): void => {
      if (outcome.ok) resolve({ runId: input.runId, started: true, run: outcome.run });
      else reject(errorOf(outcome));
    };
    if (terminate) {
      const part = this.#executor.openPart(terminate, unit);
      this.#executor.applyIn(part, {
        input: {
          kind: 'terminate',
          reason: 'TerminateIfRunning WorkflowIdReusePolicy',
          identity: 'history-service',
        },
        settle: () => undefined,
        madeByRestart: true,
      });
    }
    this.#executor.startRun(input, replaces ?? null, unit, { input, settle, madeByRestart: true });
  }

  #decided(
    current: LiveRun | undefined,
    input: InputOf<'start'>,
    signal: SignalArgs | undefined,
    attempt: number,
    resolve: (outcome: StartOutcome) => void,
    reject: (error: unknown) => void,
  ): void {
    if (!current) {
      this.#attempt(input, undefined, attempt, resolve, reject);
      return;
    }
    // A run that is being changed right now is judged once that is committed.
    if (current.part) {
      void this.#settled(current).then(() => {
        this.#executor
          .locateCurrent(input.namespaceId, input.request.workflowId ?? '')
          .then((next) => {
            this.#decided(next, input, signal, attempt, resolve, reject);
          }, reject);
      });
      return;
    }
    const state = current.state as RunState;
    const decision: StartDecision | SignalWithStartDecision = signal
      ? decideSignalWithStart(state, input.request)
      : decideStart(state, input.request);
    switch (decision.kind) {
      case 'start':
        this.#attempt(input, current, attempt, resolve, reject);
        return;
      case 'terminateAndStart':
        this.#attempt(
          input,
          current,
          attempt,
          resolve,
          reject,
          isOpen(state) ? current : undefined,
        );
        return;
      case 'useExisting':
        resolve({ runId: decision.runId, started: decision.started, run: current });
        return;
      case 'signal':
        this.#executor.submitTo(current, { kind: 'signal', ...(signal as SignalArgs) }).then(
          () => {
            resolve({ runId: decision.runId, started: false, run: current });
          },
          (error: unknown) => {
            // It closed in between: decide again.
            if (
              attempt < attemptsMax &&
              error instanceof ServiceError &&
              error.code === 'NOT_FOUND'
            ) {
              this.#executor
                .locateCurrent(input.namespaceId, input.request.workflowId ?? '')
                .then((next) => {
                  this.#decided(next, input, signal, attempt + 1, resolve, reject);
                }, reject);
            } else {
              reject(error);
            }
          },
        );
        return;
      case 'refuse':
        reject(new ServiceError(decision.refusal));
    }
  }

  /** When the run's unit is committed or lost. */
  #settled(run: LiveRun): Promise<void> {
    return new Promise((resolve) => {
      const unit = run.part?.unit;
      if (!unit) {
        resolve();
        return;
      }
      unit.afterCommit.push(resolve);
      unit.onLost.push(resolve);
    });
  }
}
