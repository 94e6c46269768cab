/**
 * Updates of a workflow's run: requests that a handler of its code accepts and answers. They come as messages of a
 * workflow task, and stand in the history once they are accepted; there they are found again and handled at the very
 * event after which they were handled the first time. What is answered goes out as messages too.
 */
import { ApplicationFailure, type LoadedDataConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { inputPayload } from './activity-call.ts';
import { disown, isPromiseLike } from './coroutine.ts';
import { numberOf } from './int64.ts';
import type { HistoryEvent } from './journal.ts';
import type { PayloadReader } from './payload-reader.ts';
import { thrownFailure } from './run-failure.ts';
import { isThrown, TaskCodeError } from './task-errors.ts';
import type { UpdateAnswer, UpdateMessage } from './update-messages.ts';

type Failure = temporal.api.failure.v1.IFailure;

/** Of a signal, a query or an update: it is given the first argument. */
export type Handler = (argument: unknown) => unknown;

export interface UpdateHandler {
  readonly validator: Handler | undefined;
  readonly handler: Handler;
}

/** What updates need of their run. */
export interface UpdateHost {
  readonly name: string;
  readonly options: { readonly converter: LoadedDataConverter };
  readonly reader: PayloadReader;
  /** A validator is asked: nothing may be asked by it. */
  answering: boolean;
  touch(): void;
  /** False when nothing is ended any more, or must not be. */
  goesOn(what: string): boolean;
  breakDown(error: unknown): void;
}

/** One that is to be handled. */
interface AskedUpdate extends UpdateMessage {
  /** 0 when it has not been accepted yet. */
  readonly acceptedEventId: number;
}

export class Updates {
  readonly handlers = new Map<string, UpdateHandler>();
  readonly #host: UpdateHost;
  readonly #asked: AskedUpdate[] = [];
  readonly #known = new Set<string>();
  readonly #completed = new Set<string>();
  #answers: UpdateAnswer[] = [];

  constructor(host: UpdateHost) {
    this.#host = host;
  }

  /** Learns which updates these events hold. Harmless when events come twice. */
  index(events: readonly HistoryEvent[]): void {
    for (const event of events) {
      const completed = event.workflowExecutionUpdateCompletedEventAttributes;
      if (completed) this.#completed.add(completed.meta?.updateId ?? '');
      const accepted = event.workflowExecutionUpdateAcceptedEventAttributes;
      if (!accepted) continue;
      this.#add({
        updateId: accepted.protocolInstanceId ?? '',
        messageId: accepted.acceptedRequestMessageId ?? '',
        sequencingEventId: numberOf(accepted.acceptedRequestSequencingEventId),
        acceptedEventId: numberOf(event.eventId),
        request: accepted.acceptedRequest ?? {},
        wireRequest: undefined,
      });
    }
  }

  /** New ones, with the workflow task that is about to be driven. */
  receive(messages: readonly UpdateMessage[]): void {
    for (const message of messages) this.#add({ ...message, acceptedEventId: 0 });
  }

  #add(asked: AskedUpdate): void {
    if (this.#known.has(asked.updateId)) return;
    this.#known.add(asked.updateId);
    this.#asked.push(asked);
  }

  /** The next that is due after that event. */
  take(eventId: number): AskedUpdate | undefined {
    const at = this.#asked.findIndex(({ sequencingEventId }) => sequencingEventId <= eventId);
    return at < 0 ? undefined : this.#asked.splice(at, 1)[0];
  }

  /** @throws TaskCodeError KEY_CHANGED_KIND, CONTEXT_MISUSED, PAYLOAD_UNREADABLE */
  handle(asked: AskedUpdate): void {
    const { name = '', args } = asked.request.input ?? {};
    const known = this.handlers.get(name ?? '');
    if (known === undefined) {
      this.#refuseUnknown(asked, name ?? '');
      return;
    }
    const argument = this.#host.reader.value(args?.payloads?.[0], `the update ${name ?? ''}`);
    if (asked.acceptedEventId === 0) {
      const refusal = this.#refusal(known, argument, name ?? '');
      if (refusal !== undefined) {
        this.#reject(asked, refusal);
        return;
      }
      this.#answers.push({ kind: 'acceptance', asked });
    }
    this.#run(asked, known.handler, argument, name ?? '');
  }

  #refuseUnknown(asked: AskedUpdate, name: string): void {
    const names = [...this.handlers.keys()];
    const known =
      names.length === 0 ? 'it has set no update handler' : `it has ${names.join(', ')}`;
    const message = `Workflow "${this.#host.name}" has no update "${name}"; ${known}`;
    if (asked.acceptedEventId === 0) {
      this.#reject(asked, this.#failure(ApplicationFailure.nonRetryable(message, 'UpdateUnknown')));
      return;
    }
    throw new TaskCodeError(
      'KEY_CHANGED_KIND',
      `${message}, but event ${asked.acceptedEventId} of the history (WorkflowExecutionUpdateAccepted) accepted one. Keep the handler for runs that are open`,
    );
  }

  /** It may be asked again, under the same id: what is rejected is forgotten (UP-2). */
  #reject(asked: AskedUpdate, failure: Failure): void {
    this.#known.delete(asked.updateId);
    this.#answers.push({ kind: 'rejection', asked, failure });
  }

  /** Why the validator does not let it in. */
  #refusal({ validator }: UpdateHandler, argument: unknown, name: string): Failure | undefined {
    if (validator === undefined) return undefined;
    this.#host.answering = true;
    let checked: unknown;
    try {
      checked = validator(argument);
    } catch (error) {
      return this.#failure(error);
    } finally {
      this.#host.answering = false;
    }
    if (!isPromiseLike(checked)) return undefined;
    disown(checked);
    throw new TaskCodeError(
      'CONTEXT_MISUSED',
      `The validator of update "${name}" returned a promise; expected it to return, or to throw what is wrong`,
    );
  }

  #run(asked: AskedUpdate, handler: Handler, argument: unknown, name: string): void {
    const host = this.#host;
    host.touch();
    let made: unknown;
    try {
      made = handler(argument);
    } catch (error) {
      this.#fail(asked, error);
      return;
    }
    Promise.resolve(made).then(
      (value) => {
        if (host.goesOn(`ended the update "${name}"`)) this.#complete(asked, value, name);
      },
      (error: unknown) => {
        if (host.goesOn(`ended the update "${name}"`)) this.#fail(asked, error);
      },
    );
  }

  #complete(asked: AskedUpdate, value: unknown, name: string): void {
    let success;
    try {
      success = inputPayload(this.#host.options.converter, value, `update "${name}" as its result`);
    } catch (error) {
      this.#fail(asked, error);
      return;
    }
    this.#respond({ kind: 'response', asked, success });
  }

  #fail(asked: AskedUpdate, error: unknown): void {
    if (isThrown(error, TaskCodeError)) this.#host.breakDown(error);
    else this.#respond({ kind: 'response', asked, failure: this.#failure(error) });
  }

  #respond(answer: UpdateAnswer): void {
    this.#host.touch();
    if (!this.#completed.has(answer.asked.updateId)) this.#answers.push(answer);
  }

  #failure(error: unknown): Failure {
    return thrownFailure(error, this.#host.options.converter);
  }

  /** What is owed to those who asked; asked for once. */
  takeAnswers(): readonly UpdateAnswer[] {
    const answers = this.#answers;
    this.#answers = [];
    return answers;
  }
}
