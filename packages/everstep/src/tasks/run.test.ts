import { ActivityFailure, ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { payloadOf } from '../../test/histories/history-maker.ts';
import { ReplayedRun } from '../../test/histories/replayed-run.ts';
import { defineTask } from './definition.ts';
import { all, race, signal, sleep, step } from './steps.ts';
import { kindMarker } from './task-kind.ts';

const nothing = () => undefined;

describe('a task of several steps', () => {
  it('takes each answer from the history, and is the same from every prefix of it', async () => {
    const run = new ReplayedRun(
      async function* (params: { name: string }) {
        const first: string = yield { key: 'first', call: nothing };
        const second = yield* step('second', (): string => '');
        return `${params.name} ${first} ${second}`;
      },
      {},
      { name: 'me' },
    );
    expect(await run.turn()).toEqual(['schedule first']);
    expect(await run.turn((h) => h.stepCompleted('first', 'a'))).toEqual(['schedule second']);
    expect(await run.turn((h) => h.stepCompleted('second', 'b'))).toEqual(['complete "me a b"']);
    expect(await run.differences()).toEqual([]);
  });

  it('may be a plain generator, which settles without a promise', () => {
    const run = new ReplayedRun(function* (): Generator {
      const value = yield { key: 'a', call: nothing };
      return value;
    });
    const started = run.history.startWorkflowTask();
    expect(run.run.drive(run.history.events, started)).toBeUndefined();
    expect(run.run.stepOf('a')).toBeDefined();
  });

  it('delivers parallel steps in the order in which they finished', async () => {
    const run = new ReplayedRun(async function* () {
      const order: string[] = [];
      function* branch(key: string) {
        yield* step(key, nothing);
        order.push(key);
        yield* step(`${key} again`, nothing);
        return key;
      }
      const values = yield* all([branch('a'), branch('b'), step('c', () => 3)]);
      return { values, order };
    });
    expect(await run.turn()).toEqual(['schedule a', 'schedule b', 'schedule c']);
    expect(
      await run.turn((h) => {
        h.stepCompleted('b', 0);
        h.stepCompleted('c', 3);
        h.stepCompleted('a', 0);
      }),
    ).toEqual(['schedule b again', 'schedule a again']);
    expect(
      await run.turn((h) => {
        h.stepCompleted('a again', 0);
        h.stepCompleted('b again', 0);
      }),
    ).toEqual(['complete {"values":["a","b",3],"order":["b","a"]}']);
    expect(await run.differences()).toEqual([]);
  });

  it('gives the values of async generators that run as branches', async () => {
    async function* branch(key: string) {
      await Promise.resolve();
      const value = yield* step(key, () => key);
      await Promise.resolve();
      return value;
    }
    const run = new ReplayedRun(async function* () {
      return yield* all([branch('a'), branch('b')]);
    });
    expect(await run.turn()).toEqual(['schedule a', 'schedule b']);
    await run.turn((h) => h.stepCompleted('b', 'B'));
    expect(await run.turn((h) => h.stepCompleted('a', 'A'))).toEqual(['complete ["A","B"]']);
    expect(await run.differences()).toEqual([]);
  });

  it('throws the first failure of parallel steps by the history, while the others go on', async () => {
    const run = new ReplayedRun(async function* () {
      try {
        yield* all([step('a', nothing), step('b', nothing), step('c', nothing)]);
      } catch (error) {
        const failure = error as ActivityFailure;
        yield* step(`after ${failure.activityId ?? ''}`, nothing);
        return failure.cause?.message;
      }
      return 'no';
    });
    await run.turn();
    expect(
      await run.turn((h) => {
        h.stepFailed('b', 'b broke');
        h.stepFailed('a', 'a broke');
        h.stepCompleted('c', 0);
      }),
    ).toEqual(['schedule after b']);
    expect(await run.turn((h) => h.stepCompleted('after b', 0))).toEqual(['complete "b broke"']);
    expect(await run.differences()).toEqual([]);
  });

  it('comes to a signal that was sent before it was waited for, and takes each once', async () => {
    const run = new ReplayedRun(async function* () {
      const one = yield* signal('go');
      const mid = yield* step('mid', () => 0);
      const two = yield* signal('go');
      return [one, mid, two];
    });
    expect(await run.turn()).toEqual([]);
    expect(
      await run.turn((h) => {
        h.signal('go', 1);
        h.signal('go', 2);
        h.signal('other', 9);
      }),
    ).toEqual(['schedule mid']);
    expect(await run.turn((h) => h.stepCompleted('mid', 0))).toEqual(['complete [1,0,2]']);
    expect(await run.differences()).toEqual([]);
  });

  it('sleeps beside a step, and numbers sleeps without a key', async () => {
    const run = new ReplayedRun(async function* () {
      yield* all([step('work', nothing), sleep('1h')]);
      yield* sleep(5, { key: 'pause' });
      yield* sleep(10);
      return 'rested';
    });
    expect(await run.turn()).toEqual(['schedule work', 'start timer sleep#1']);
    expect(await run.turn((h) => h.timerFired('sleep#1'))).toEqual([]);
    expect(await run.turn((h) => h.stepCompleted('work', 0))).toEqual(['start timer pause']);
    expect(await run.turn((h) => h.timerFired('pause'))).toEqual(['start timer sleep#2']);
    expect(await run.turn((h) => h.timerFired('sleep#2'))).toEqual(['complete "rested"']);
    expect(await run.differences()).toEqual([]);
  });

  it('ends a race as it ended the first time, and cancels the others', async () => {
    const run = new ReplayedRun(async function* () {
      const first = yield* race([step('slow', () => 's'), sleep('1m'), signal<string>('now')]);
      const next = yield* step('next', () => 'n');
      return { ...first, next };
    });
    expect(await run.turn()).toEqual(['schedule slow', 'start timer sleep#1']);
    expect(
      await run.turn((h) => {
        h.signal('now', 'signalled');
        h.stepCompleted('slow', 'too late');
      }),
    ).toEqual(['schedule next', 'cancel timer sleep#1']);
    expect(await run.turn((h) => h.stepCompleted('next', 'n'))).toEqual([
      'complete {"index":2,"value":"signalled","next":"n"}',
    ]);
    expect(await run.differences()).toEqual([]);
  });

  it('numbers the rounds of a loop', async () => {
    const run = new ReplayedRun(function* (): Generator {
      const values = [];
      for (let round = 0; round < 3; round += 1) values.push(yield { key: 'page', call: nothing });
      return values;
    });
    expect(await run.turn()).toEqual(['schedule page']);
    expect(await run.turn((h) => h.stepCompleted('page', 1))).toEqual(['schedule page#2']);
    expect(await run.turn((h) => h.stepCompleted('page#2', 2))).toEqual(['schedule page#3']);
    expect(await run.turn((h) => h.stepCompleted('page#3', 3))).toEqual(['complete [1,2,3]']);
    expect(await run.differences()).toEqual([]);
  });

  it('gives what the payload decodes to, never the value itself', async () => {
    const run = new ReplayedRun(async function* () {
      const when: unknown = yield { key: 'when', call: nothing };
      return typeof when;
    });
    await run.turn();
    expect(await run.turn((h) => h.stepCompleted('when', new Date(0)))).toEqual([
      'complete "string"',
    ]);
  });

  it('fails with what its code throws, and keeps the cause of a failed step', async () => {
    const thrown = new ReplayedRun(async function* () {
      yield* step('a', nothing);
      throw new TypeError('broken');
    });
    await thrown.turn();
    expect(await thrown.turn((h) => h.stepCompleted('a', 0))).toEqual(['fail broken']);
    const failed = new ReplayedRun(function* (): Generator {
      yield { key: 'a', call: nothing };
    });
    await failed.turn();
    expect(await failed.turn((h) => h.stepFailed('a', 'the provider is down'))).toEqual([
      'fail Step "a" failed: the provider is down',
    ]);
    expect(await failed.differences()).toEqual([]);
  });

  it('fails when it throws what is no Error', async () => {
    const run = new ReplayedRun(function* (): Generator {
      yield* step('a', nothing);
      // oxlint-disable-next-line typescript/only-throw-error -- what is tested
      throw { odd: true };
    });
    await run.turn();
    expect(await run.turn((h) => h.stepCompleted('a', 0))).toEqual([
      'fail {"odd":true} was thrown, which is no Error',
    ]);
  });

  it('fails when its result cannot be serialised, and says which task', async () => {
    const run = new ReplayedRun(function* (): Generator {
      yield* step('a', nothing);
      return 10n;
    });
    await run.turn();
    const [said] = await run.turn((h) => h.stepCompleted('a', 0));
    expect(said).toMatch(/^fail The result of task "task" cannot be serialised/);
  });

  it('checks its result by its schema', async () => {
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: async (value: unknown) =>
          typeof value === 'number'
            ? { value: value * 2 }
            : { issues: [{ message: 'must be a number', path: ['size'] }] },
      },
    };
    const run = new ReplayedRun(
      function* (params: unknown): Generator {
        yield* step('a', nothing);
        return params;
      },
      { schema: { result: schema } },
      21,
    );
    await run.turn();
    expect(await run.turn((h) => h.stepCompleted('a', 0))).toEqual(['complete 42']);
    const wrong = new ReplayedRun(
      function* (): Generator {
        return yield { key: 'a', call: nothing };
      },
      { schema: { result: schema } },
    );
    await wrong.turn();
    expect(await wrong.turn((h) => h.stepCompleted('a', 'x'))).toEqual([
      'fail The schema of task "task" refused its result: result.size: must be a number',
    ]);
  });
});

describe('code that changed under a run', () => {
  const definition = (task: unknown) => defineTask({ name: 'task', task: task as never });

  it('may add, remove and move steps', async () => {
    const run = new ReplayedRun(function* (): Generator {
      const a = yield { key: 'a', call: nothing };
      const b = yield { key: 'b', call: nothing };
      return [a, b, yield { key: 'c', call: nothing }];
    });
    await run.turn();
    await run.turn((h) => h.stepCompleted('a', 'A'));
    await run.turn((h) => h.stepCompleted('b', 'B'));
    await run.crash(
      definition(function* (): Generator {
        const b = yield { key: 'b', call: nothing };
        const fresh = yield { key: 'new', call: nothing };
        return [b, fresh, yield { key: 'c', call: nothing }];
      }),
    );
    expect(await run.turn((h) => h.stepCompleted('c', 'C'))).toEqual(['schedule new']);
    expect(await run.turn((h) => h.stepCompleted('new', 'N'))).toEqual(['complete ["B","N","C"]']);
  });

  it('may not change the kind of a key, and is told the key, the event and the line', async () => {
    const run = new ReplayedRun(function* (): Generator {
      yield { key: 'wait', call: nothing };
    });
    await run.turn();
    const changed = definition(function* (): Generator {
      yield sleep('1h', { key: 'wait' });
    });
    const again = run.fresh(changed);
    void again.drive(run.history.events, run.history.lastId);
    expect(again.broken).toMatchObject({
      code: 'KEY_CHANGED_KIND',
      message: expect.stringMatching(
        /run\.test\.ts:\d+:\d+: The key "wait" is a sleep in the code, but in event 5 of the history \(ActivityTaskScheduled\) it is a step/,
      ),
    });
  });
});

describe('wrong use of keys', () => {
  it.each([
    ['an empty key', '', 'KEY_INVALID'],
    ['a key that is no string', 7, 'KEY_INVALID'],
    ['a key that holds #', 'a#2', 'KEY_INVALID'],
    ['a key that is too long', 'é'.repeat(500), 'KEY_INVALID'],
  ])('fails the workflow task on %s', async (_, key, code) => {
    const run = new ReplayedRun(function* (): Generator {
      yield { key, call: nothing };
    });
    await expect(run.turn()).rejects.toMatchObject({ code });
    expect(run.run.result).toBeUndefined();
  });

  it('refuses one key twice at the same time', async () => {
    const run = new ReplayedRun(async function* () {
      yield* all([step('a', nothing), step('a', nothing)]);
    });
    await expect(run.turn()).rejects.toMatchObject({
      code: 'KEY_TAKEN_TWICE',
      message: expect.stringContaining('"a"'),
    });
  });

  it('refuses what is no operation, naming the last key and the line', async () => {
    const run = new ReplayedRun(async function* () {
      yield* step('a', nothing);
      yield 17;
    });
    await run.turn();
    await expect(run.turn((h) => h.stepCompleted('a', 0))).rejects.toMatchObject({
      code: 'OPERATION_UNKNOWN',
      message: expect.stringMatching(/run\.test\.ts:\d+:\d+: 17 was yielded after the key "a"/),
    });
  });

  it('refuses a policy that cannot be, naming the key and the field', async () => {
    const run = new ReplayedRun(function* (): Generator {
      yield { key: 'a', call: nothing, retryPolicy: { maxRetries: -1 } };
    });
    await expect(run.turn()).rejects.toMatchObject({
      code: 'STEP_OPTIONS_INVALID',
      message: expect.stringMatching(
        /Step "a" of task "task": retryPolicy\.maxRetries is -1; expected/,
      ),
    });
  });
});

describe('a cancel request', () => {
  it('reaches every wait at once, lets shielded steps clean up, and drops what comes later', async () => {
    const run = new ReplayedRun(async function* () {
      try {
        yield* all([step('a', nothing), sleep('1h'), signal('go')]);
      } catch (error) {
        if (!(error instanceof CancelledFailure)) throw error;
        try {
          yield* step('not any more', nothing);
        } catch {
          // It is cancelled at once.
        }
        yield* step('clean up', nothing, { shielded: true });
        throw error;
      }
    });
    expect(await run.turn()).toEqual(['schedule a', 'start timer sleep#1']);
    expect(await run.turn((h) => h.requestCancel())).toEqual([
      'schedule clean up',
      'cancel 5',
      'cancel timer sleep#1',
    ]);
    expect(await run.turn((h) => h.stepCompleted('a', 'too late'))).toEqual([]);
    expect(await run.turn((h) => h.stepCompleted('clean up', 0))).toEqual(['cancel the run']);
    expect(await run.differences()).toEqual([]);
  });

  it('does not end a task that answers with a result', async () => {
    const run = new ReplayedRun(function* (): Generator {
      try {
        yield* step('a', nothing);
      } catch {
        return 'saved';
      }
    });
    await run.turn();
    expect(await run.turn((h) => h.requestCancel())).toEqual(['complete "saved"']);
  });

  it('lets a shielded step go on', async () => {
    const run = new ReplayedRun(function* (): Generator {
      const value = yield* step('kept', () => 0, { shielded: true });
      yield* step('next', nothing);
      return value;
    });
    await run.turn();
    expect(await run.turn((h) => h.requestCancel())).toEqual([]);
    expect(await run.turn((h) => h.stepCompleted('kept', 1))).toEqual(['cancel the run']);
    expect(await run.differences()).toEqual([]);
  });

  it('cancels a task of one step', async () => {
    const run = new ReplayedRun(async () => 1);
    expect(await run.turn()).toEqual(['schedule run']);
    expect(await run.turn((h) => h.requestCancel())).toEqual(['cancel the run']);
  });
});

describe('a retry of the task', () => {
  it('voids what failed before it, and keeps what completed', async () => {
    const run = new ReplayedRun(function* (): Generator {
      const a = yield { key: 'a', call: nothing };
      const b = yield { key: 'b', call: nothing };
      return [a, b];
    });
    await run.turn();
    await run.turn((h) => h.stepCompleted('a', 'A'));
    expect(await run.turn((h) => h.stepFailed('b', 'down'))).toEqual([
      'fail Step "b" failed: down',
    ]);
    // The reset keeps the history up to the last workflow task's start.
    run.history.events.splice(run.turns.at(-1)?.startedEventId ?? 0);
    run.turns.pop();
    run.history.failWorkflowTask(true);
    run.run = run.fresh();
    const started = run.history.startWorkflowTask();
    await run.run.drive(run.history.events, started);
    expect(run.run.stepOf('b')).toBeDefined();
    expect(run.run.result).toBeUndefined();
  });
});

describe('the kind of a task', () => {
  it('is known of a native function', () => {
    const kindOf = (task: unknown) => defineTask({ name: 'x', task: task as never }).kind;
    expect(kindOf(function* () {})).toBe('multi');
    expect(kindOf(async function* () {})).toBe('multi');
    expect(kindOf(async () => 1)).toBe('single');
    expect(kindOf(() => 1)).toBe('unknown');
  });

  it('of a wrapped function shows in its first step', async () => {
    const wrapped = (params: unknown) =>
      (function* (): Generator {
        return [params, yield { key: 'a', call: nothing }];
      })();
    const run = new ReplayedRun(wrapped, {}, 'p');
    expect(await run.turn()).toEqual(['schedule #kind']);
    expect(await run.turn((h) => h.stepCompletedRaw('#kind', kindMarker()))).toEqual([
      'schedule a',
    ]);
    expect(run.definition.kind).toBe('multi');
    expect(await run.turn((h) => h.stepCompleted('a', 'A'))).toEqual(['complete ["p","A"]']);
    expect(await run.differences()).toEqual([]);
    const next = run.fresh();
    expect(next.definition.kind).toBe('multi');
  });

  it("of a wrapped function that returns a value is one step, whose result is the task's", async () => {
    const run = new ReplayedRun(() => 5);
    expect(await run.turn()).toEqual(['schedule #kind']);
    expect(await run.turn((h) => h.stepCompletedRaw('#kind', payloadOf(5)))).toEqual([
      'complete 5',
    ]);
    expect(run.definition.kind).toBe('single');
    expect(await run.differences()).toEqual([]);
  });

  it('may show behind a promise', async () => {
    const run = new ReplayedRun(async (params: unknown) =>
      (async function* () {
        return [params, yield* step('a', () => 'x')];
      })(),
    );
    expect(await run.turn()).toEqual(['schedule run']);
    expect(await run.turn((h) => h.stepCompletedRaw('run', kindMarker()))).toEqual(['schedule a']);
  });
});

describe('code that awaits what is no step', () => {
  it('is told where, and the run is unharmed', async () => {
    const run = new ReplayedRun(async function* () {
      yield* step('a', nothing);
      await new Promise(nothing);
      return ApplicationFailure.name;
    });
    await run.turn();
    run.history.stepCompleted('a', 0);
    const started = run.history.startWorkflowTask();
    const from = run.turns.at(-1)?.startedEventId ?? 0;
    const driving = run.run.drive(run.history.events.slice(from), started);
    await Promise.resolve();
    run.run.breakDownStalled(1000);
    await driving;
    expect(run.run.broken).toMatchObject({
      code: 'CODE_STALLED',
      message: expect.stringMatching(/after the key "a", since 1000 ms, at .*run\.test\.ts:\d+/),
    });
  });
});
