/**
 * Starting runs under workflow ids (ID-1 … ID-3, SG-3). A start first assumes that the id is new and lets the
 * commit find out: the usual case costs no look-up. When somebody has the id, the store says conflict, and the
 * policy decides with the current run at hand.
 */
import type { InputOf, SignalArgs } from '../core/input.ts';
import type { UpdateRequest } from '../core/proto.ts';
import { isOpen } from '../core/state.ts';
import type { Payloads } from '../core/proto.ts';
import { decideSignalWithStart, decideStart } from '../core/start-policy.ts';
import type { StartDecision } from '../core/start-policy.ts';
import type { Limits } from '../core/limits.ts';
import type { RequestRules } from '../core/start-request.ts';
import { isKnownUpdate } from '../core/update.ts';
import type { Clock } from '../service/clock.ts';
import { ServiceError, isServiceError } from '../service/service-error.ts';
import { errorOf } from './executor.ts';
import type { Executor } from './executor.ts';
import type { Namespace } from './namespaces.ts';
import { newUnit, settled } from './unit.ts';
import type { LiveRun, Request, RequestOutcome } from './unit.ts';

const conflictsMax = 100;

/** Of an update-with-start it was the update that was refused, and why. */
export class UpdateRefused extends Error {
  constructor(cause: unknown) {
    super('the update was refused', { cause });
  }
}

/** By what a request to start is checked before any run is looked at. */
export function startRules(
  context: { readonly clock: Clock; readonly coreLimits: Limits },
  { name, config }: Namespace,
): RequestRules {
  return {
    now: context.clock.now(),
    limits: context.coreLimits,
    registry: { name, registered: config.searchAttributes },
  };
}

export interface StartOutcome {
  readonly runId: string;
  /** True when this request made the run. */
  readonly started: boolean;
  readonly run: LiveRun | undefined;
}

/** Of the request that makes the run, where one is made: see Request. */
type Making = Pick<Request, 'onApplied' | 'doneOutbox'>;

export class Starts {
  readonly #executor: Executor;

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  async start(input: InputOf<'start'>, making: Making = {}): Promise<StartOutcome> {
    let outcome = await this.#attempt(input, undefined, false, making);
    for (let conflicts = 0; !outcome; conflicts += 1) {
      assertNotTooMany(input, conflicts);
      outcome = await this.#decide(input, await this.#currentAtRest(input), making);
    }
    return outcome;
  }

  /**
   * As start, for a message, which is used up with the commit that makes the run. Undefined when it was used up by
   * another delivery. It is asked for after the current run was looked up: who uses it up later makes another current,
   * and the attempt fails.
   */
  async startFor(
    message: { readonly outboxId: number; readonly waits: () => Promise<boolean> },
    input: InputOf<'start'>,
  ): Promise<StartOutcome | undefined> {
    const making = { doneOutbox: message.outboxId };
    let outcome = await this.#attempt(input, undefined, false, making);
    for (let conflicts = 0; !outcome; conflicts += 1) {
      assertNotTooMany(input, conflicts);
      const current = await this.#currentAtRest(input);
      if (!(await message.waits())) return undefined;
      outcome = await this.#decide(input, current, making);
    }
    return outcome;
  }

  /** The current run is looked up first: signalling an open one is the usual case. */
  async signalWithStart(input: InputOf<'start'>, signal: SignalArgs): Promise<StartOutcome> {
    let outcome: StartOutcome | undefined;
    for (let conflicts = 0; !outcome; conflicts += 1) {
      assertNotTooMany(input, conflicts);
      const current = await this.#currentAtRest(input);
      const decision = decideSignalWithStart(current?.state, input.request);
      outcome =
        decision.kind === 'signal' && current
          ? await this.#signal(current, signal)
          : await this.#do(decision as StartDecision, { ...input, signal }, current);
    }
    return outcome;
  }

  /**
   * UP-8: a run that knows the update answers for it, an open one takes it up where the policy lets it, and else one
   * is started that has it from the beginning. Gives the run to wait on.
   */
  async updateWithStart(
    input: InputOf<'start'>,
    update: UpdateRequest,
  ): Promise<StartOutcome & { readonly run: LiveRun }> {
    const updateId = update.meta?.updateId ?? '';
    for (let conflicts = 0; ; conflicts += 1) {
      assertNotTooMany(input, conflicts);
      const current = await this.#currentAtRest(input);
      const known = current?.state && isKnownUpdate(current.state, updateId);
      if (current && known) return { runId: current.key.runId, started: false, run: current };
      const decision = decideStart(current?.state, input.request);
      if (decision.kind === 'useExisting' && current) {
        const run = await this.#admit(current, update);
        if (run) return { runId: run.key.runId, started: decision.started, run };
        continue;
      }
      const outcome = await this.#do(decision, { ...input, update }, current);
      if (outcome?.run) return { ...outcome, run: outcome.run };
    }
  }

  /** Undefined when the run closed in between: then it is decided again. */
  async #admit(current: LiveRun, request: UpdateRequest): Promise<LiveRun | undefined> {
    try {
      const { run } = await this.#executor.submitTo(current, { kind: 'admitUpdate', request });
      return run;
    } catch (error) {
      if (isServiceError(error, 'NOT_FOUND') && current.latest && !isOpen(current.latest)) {
        return undefined;
      }
      throw new UpdateRefused(error);
    }
  }

  #decide(
    input: InputOf<'start'>,
    current: LiveRun | undefined,
    making: Making,
  ): Promise<StartOutcome | undefined> {
    const decision = decideStart(current?.state, input.request, input.scheduledBy);
    return this.#do(decision, input, current, making);
  }

  async #do(
    decision: StartDecision,
    input: InputOf<'start'>,
    current: LiveRun | undefined,
    making: Making = {},
  ): Promise<StartOutcome | undefined> {
    switch (decision.kind) {
      case 'start':
        return this.#attempt(input, current, false, making);
      case 'terminateAndStart':
        return this.#attempt(input, current, true, making);
      case 'useExisting':
        return { runId: decision.runId, started: decision.started, run: current };
      case 'refuse':
        throw new ServiceError(decision.refusal);
    }
  }

  /** One try to be the run that follows `current`; undefined when another was first. */
  #attempt(
    input: InputOf<'start'>,
    current: LiveRun | undefined,
    terminates: boolean,
    making: Making = {},
  ): Promise<StartOutcome | undefined> {
    // Another start may have taken it up since it was looked at: a run has one open part.
    if (terminates && current?.part) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const unit = newUnit();
      unit.restart = () => {
        resolve(undefined);
      };
      if (current && terminates) {
        this.#executor.applyIn(this.#executor.openPart(current, unit), {
          input: {
            kind: 'terminate',
            reason: 'TerminateIfRunning WorkflowIdReusePolicy',
            details: payloadsOfText(`terminated by new runID: ${input.runId}`),
            identity: 'history-service',
          },
          settle: () => undefined,
          madeByRestart: true,
        });
      }
      const settle = (outcome: RequestOutcome): void => {
        if (outcome.ok) resolve({ runId: input.runId, started: true, run: outcome.run });
        else reject(errorOf(outcome) as Error);
      };
      this.#executor.startRun(input, current ?? null, unit, {
        input,
        settle,
        madeByRestart: true,
        ...making,
      });
    });
  }

  /** Undefined when the run closed in between: then it is decided again. */
  async #signal(current: LiveRun, signal: SignalArgs): Promise<StartOutcome | undefined> {
    try {
      await this.#executor.submitTo(current, { kind: 'signal', ...signal, withStart: true });
    } catch (error) {
      if (isServiceError(error, 'NOT_FOUND')) return undefined;
      throw error;
    }
    return { runId: current.key.runId, started: false, run: current };
  }

  /** The workflow id's current run as the store has it; one that is being changed is waited for. */
  async #currentAtRest(input: InputOf<'start'>): Promise<LiveRun | undefined> {
    for (;;) {
      const current = await this.#executor.locateCurrent(
        input.namespaceId,
        input.request.workflowId ?? '',
      );
      if (!current?.part) return current;
      await settled(current.part.unit);
    }
  }
}

function assertNotTooMany(input: InputOf<'start'>, conflicts: number): void {
  if (conflicts < conflictsMax) return;
  throw new ServiceError({
    code: 'UNAVAILABLE',
    message: `Workflow id ${input.request.workflowId ?? ''} is being started by too many at once; try again.`,
  });
}

function payloadsOfText(text: string): Payloads {
  const encoder = new TextEncoder();
  const metadata = { encoding: encoder.encode('json/plain') };
  return { payloads: [{ metadata, data: encoder.encode(JSON.stringify(text)) }] };
}
