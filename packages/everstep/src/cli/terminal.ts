/** What a command reads and writes: the process's own streams, or a test's. */
import { createInterface } from 'node:readline';
import { styleText } from 'node:util';
import { untilSignal } from '../integrations/until-signal.ts';

export interface Sink {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Of a terminal; undefined elsewhere. */
  readonly columns: number | undefined;
}

export interface Terminal {
  /** What the command was asked for, and nothing else. */
  readonly out: Sink;
  /** Errors, questions, progress. */
  readonly err: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the user, or a process manager, wants the command to end. */
  readonly stop: AbortSignal;
  /** Somebody sits there who can be asked. */
  readonly canAsk: boolean;
  ask(question: string): Promise<string>;
  /** Standard input to its end. */
  readAll(): Promise<string>;
  now(): number;
  /** Ends the process soon although something of the user's, such as a pool of connections, is still open in it. */
  leave(): void;
  /** Of the process, when no error says another: 0, or 1 where the answer is that something is wrong. */
  exitCode: number;
}

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

/** Coloured on a terminal whose user did not say NO_COLOR (no-color.org). */
export function paint(terminal: Terminal, sink: Sink, colour: Colour, text: string): string {
  return hasColours(terminal, sink) ? styleText(colour, text, { validateStream: false }) : text;
}

export function hasColours({ env }: Pick<Terminal, 'env'>, sink: Sink): boolean {
  return sink.isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

/** What was written is gone by then. */
const leaveMs = 100;

/** @param parent Told by whoever started this process when it is to end, in the place of signals. */
export function processTerminal(parent?: AbortSignal): Terminal {
  const stop = new AbortController();
  let listens = false;
  const onBroken = parent ? ignore : endOnBroken;
  return {
    out: sinkOf(process.stdout, onBroken),
    err: sinkOf(process.stderr, onBroken),
    env: process.env,
    get stop() {
      if (parent) return parent;
      // Listened for by those commands only that end in an orderly way; a second signal ends the process at once.
      if (!listens) {
        listens = true;
        void untilSignal().signal.then(() => stop.abort());
      }
      return stop.signal;
    },
    canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
    ask,
    async readAll() {
      let text = '';
      process.stdin.setEncoding('utf8');
      for await (const part of process.stdin) text += String(part);
      return text;
    },
    now: () => Date.now(),
    leave: () => void setTimeout(() => process.exit(), leaveMs).unref(),
    exitCode: 0,
  };
}

/** A reader that has seen enough, such as `head`, is no error. */
function endOnBroken(error: NodeJS.ErrnoException): void {
  process.exit(error.code === 'EPIPE' ? (process.exitCode ?? 0) : 1);
}

/** The parent is gone, and its signal says so. */
function ignore(): void {}

function sinkOf(
  stream: NodeJS.WriteStream,
  onBroken: (error: NodeJS.ErrnoException) => void,
): Sink {
  stream.on('error', onBroken);
  return {
    write: (text) => void stream.write(text),
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.isTTY === true ? stream.columns : undefined;
    },
  };
}

/** The answer; empty where the input ends without one. */
function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    lines.once('close', () => resolve(''));
    lines.question(question, (answer) => {
      resolve(answer);
      lines.close();
    });
  });
}
