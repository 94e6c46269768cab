/** The command line as a function: what was typed, in what surroundings, and what came of it. */
import { runProgram } from '../../src/cli/program.ts';
import type { Sink, Terminal } from '../../src/cli/terminal.ts';

export interface Surroundings {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly tty?: boolean;
  /** What is answered to each question. */
  readonly answer?: string;
  readonly stop?: AbortSignal;
  /** How late it is, beyond what it is. */
  readonly laterMs?: number;
  /** Called at each write to standard output. */
  readonly onOut?: (text: string) => void;
}

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function everstep(
  args: readonly string[],
  around: Surroundings = {},
): Promise<Outcome> {
  const { tty = false, env = {}, stdin = '', answer = '', stop, onOut, laterMs = 0 } = around;
  let out = '';
  let err = '';
  const sink = (write: (text: string) => void): Sink => ({
    write,
    isTTY: tty,
    columns: tty ? 80 : undefined,
  });
  const terminal: Terminal = {
    out: sink((text) => {
      out += text;
      onOut?.(text);
    }),
    err: sink((text) => (err += text)),
    env,
    stop: stop ?? new AbortController().signal,
    canAsk: tty,
    ask: (question) => {
      err += question;
      return Promise.resolve(answer);
    },
    readAll: () => Promise.resolve(stdin),
    now: () => Date.now() + laterMs,
    leave: () => undefined,
    exitCode: 0,
  };
  const code = await runProgram(args, terminal);
  return { code, out, err };
}

/** The JSON document on standard output of a call that went well. */
export async function everstepJson<T>(args: readonly string[], around?: Surroundings): Promise<T> {
  const { code, out, err } = await everstep([...args, '--json'], around);
  if (code !== 0) throw new TypeError(`everstep ${args.join(' ')} ended with ${code}: ${err}`);
  return JSON.parse(out) as T;
}
