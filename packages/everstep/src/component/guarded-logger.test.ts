import { expect, it } from 'vitest';
import type { LogFields, Logger } from '../service/logger.ts';
import { guardedLogger } from './guarded-logger.ts';
import { stderrLogger } from './stderr-logger.ts';

type Line = readonly [level: string, message: string, fields?: LogFields];

class Recorder implements Logger {
  readonly lines: Line[] = [];

  #add(...line: Line): void {
    this.lines.push(line);
  }

  debug(message: string, fields?: LogFields): void {
    this.#add('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#add('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#add('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#add('error', message, fields);
  }
}

it('gives every line to the logger, as a method of its own', () => {
  const recorder = new Recorder();
  const guarded = guardedLogger(recorder);
  guarded.debug('a');
  guarded.info('b', { n: 1 });
  guarded.warn('c');
  guarded.error('d');
  expect(recorder.lines.map(([level, message]) => level + message)).toEqual([
    'debuga',
    'infob',
    'warnc',
    'errord',
  ]);
  expect(recorder.lines[1]?.[2]).toEqual({ n: 1 });
});

it('swallows what a logger throws, and tells it once with the line that was lost', () => {
  const of = new Recorder();
  const fallback = new Recorder();
  const taken = ['debug', 'info', 'warn', 'error'].map((level) => [level, Reflect.get(of, level)]);
  const guarded = guardedLogger(Object.fromEntries(taken) as Logger, fallback);
  guarded.warn('first', { taskId: 't' });
  guarded.error('second');
  expect(of.lines).toEqual([]);
  expect(fallback.lines).toEqual([
    [
      'error',
      expect.stringContaining('The logger failed'),
      { level: 'warn', message: 'first', error: expect.any(TypeError) as TypeError },
    ],
  ]);
});

it('takes up the rejection of a logger that is async', async () => {
  const fallback = new Recorder();
  const broken = new Error('the pipe is closed');
  const rejects = (): void => Promise.reject(broken) as unknown as undefined;
  const guarded = guardedLogger(
    { debug: rejects, info: rejects, warn: rejects, error: rejects },
    fallback,
  );
  guarded.info('lost');
  await Promise.resolve();
  expect(fallback.lines).toEqual([
    ['error', expect.any(String), { level: 'info', message: 'lost', error: broken }],
  ]);
});

it('standard error is told of values that cannot be read', () => {
  const written: string[] = [];
  const unreadable = Object.defineProperty(new Error('x'), 'stack', {
    get: () => {
      throw new Error('trap');
    },
  });
  const ring: { self?: unknown } = Object.assign(Object.create(null) as object, {});
  ring.self = ring;
  stderrLogger('warn', (line) => written.push(line)).warn('odd', { unreadable, ring, big: 1n });
  expect(written).toEqual(['everstep warn: odd unreadable=? ring=? big=1\n']);
});
