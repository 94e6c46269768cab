/** What a command reads and writes: the process's own streams, or a test's. */
import { createInterface } from 'node:readline';
import { styleText } from 'node:util';

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

const signals = ['SIGINT', 'SIGTERM'] as const;

export function processTerminal(): Terminal {
  const stop = new AbortController();
  let listens = false;
  return {
    out: sinkOf(process.stdout),
    err: sinkOf(process.stderr),
    env: process.env,
    get stop() {
      // Listened for by those commands only that end in an orderly way; a second signal ends the process at once.
      if (!listens) {
        listens = true;
        for (const signal of signals) process.once(signal, () => stop.abort());
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
    exitCode: 0,
  };
}

function sinkOf(stream: NodeJS.WriteStream): Sink {
  // A reader that has seen enough, such as `head`, is no error.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? (process.exitCode ?? 0) : 1);
  });
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
