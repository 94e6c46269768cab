/** Another process, asked by name and argument. One that ends although nobody told it to fails every question. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}
type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };
interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** What the code of others should no longer call is not for this benchmark to say. */
const otherOptions = ['--disable-warning=DeprecationWarning'];

export class Subprocess {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #questions = 0;

  /** Runs a module of the benchmark under this process's Node with its options, or under another. */
  constructor(module: URL, otherNode?: string) {
    this.#process = fork(fileURLToPath(module), [], {
      execPath: otherNode ?? process.execPath,
      execArgv:
        otherNode === undefined ? [...new Set([...process.execArgv, '--expose-gc'])] : otherOptions,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#process.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('error' in reply) waiting?.reject(new Error(reply.error));
      else waiting?.resolve(reply.value);
    });
    this.#ended = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => {
        const error = new Error(
          `a process of the benchmark ended with ${signal ?? `code ${code}`}`,
        );
        for (const waiting of this.#waiting.values()) waiting.reject(error);
        this.#waiting.clear();
        resolve();
      });
    });
  }

  ask<T>(name: string, argument: unknown = null): Promise<T> {
    this.#questions += 1;
    const question: Question = { id: this.#questions, name, argument };
    return new Promise<T>((resolve, reject) => {
      if (!this.#process.connected) {
        reject(new Error('a process of the benchmark is gone'));
        return;
      }
      this.#waiting.set(question.id, { resolve: resolve as Waiting['resolve'], reject });
      this.#process.send(question);
    });
  }

  /** SIGKILL, and it is gone. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }

  /** Lets it end by itself; it has nothing left to do. */
  async leave(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    await this.#ended;
  }
}

/** The other process's own half. It ends when whoever started it leaves or dies. */
export function answerQuestions(
  answers: Readonly<Record<string, (argument: never) => Promise<unknown>>>,
): void {
  process.on('message', (question: Question) => {
    const answer = answers[question.name] as ((argument: unknown) => Promise<unknown>) | undefined;
    const answered =
      answer === undefined
        ? Promise.reject(new Error(`there is no answer to ${question.name}`))
        : answer(question.argument);
    answered.then(
      (value) => process.send?.({ id: question.id, value: value ?? null }),
      (error: unknown) =>
        process.send?.({
          id: question.id,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        }),
    );
  });
  process.once('disconnect', () => process.exit());
}
