import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AsyncTask } from '../tasks/async-task.ts';
import { race, signal, sleep, step } from '../tasks/steps.ts';
import { workflow } from '../tasks/workflow.ts';
import { historyToJson } from './history-json.ts';
import { replay } from './replay.ts';
import { TestEnvironment, type History } from './test-environment.ts';

const recorded = new AsyncTask({
  name: 'resize',
  task: async function* () {
    const file = yield* step('fetch', () => 'file');
    yield* sleep('1h', { key: 'pause' });
    return yield* step('resize', () => `${file} resized`);
  },
});
const order = workflow({ name: 'order' }, async (ctx) => {
  await ctx.step('charge', () => 1);
  await ctx.sleep('1h');
  return ctx.step('ship', () => 'shipped');
});

let environment: TestEnvironment;
let taskHistory: History;
let openHistory: History;
let workflowHistory: History;

beforeAll(async () => {
  environment = await TestEnvironment.start([recorded, order]);
  const task = environment.get(recorded);
  await task.submit(undefined, { taskId: 'task' });
  await environment.settled();
  openHistory = await environment.history('task');
  await task.result('task');
  taskHistory = await environment.history('task');
  await environment.get(order).execute(undefined, { workflowId: 'order' });
  workflowHistory = await environment.history('order');
});

afterAll(() => environment.stop());

const changed = (task: () => AsyncGenerator): AsyncTask<undefined> =>
  new AsyncTask<undefined>({ name: 'resize', task: task as never });

describe('replay', () => {
  it('takes code that has not changed', async () => {
    expect(await replay(recorded, taskHistory)).toMatchObject({ differences: [] });
    expect(await replay(recorded, openHistory)).toMatchObject({ differences: [] });
    expect(await replay(order, workflowHistory)).toMatchObject({ differences: [] });
  });

  it('takes a history as JSON, as text and parsed', async () => {
    const text = historyToJson(taskHistory);
    expect(await replay(recorded, text)).toMatchObject({ differences: [] });
    expect(await replay(recorded, JSON.parse(text) as object)).toMatchObject({ differences: [] });
  });

  it('runs no step', async () => {
    let ran = 0;
    const counted = changed(async function* () {
      yield* step('fetch', () => (ran += 1));
      yield* sleep('1h', { key: 'pause' });
      return yield* step('resize', () => (ran += 1));
    });
    await replay(counted, taskHistory);
    expect(ran).toBe(0);
  });

  it('names keys that came and keys that went', async () => {
    const other = changed(async function* () {
      yield* step('fetch', () => 'file');
      yield* step('scan', () => 'clean');
    });
    const { differences } = await replay(other, openHistory);
    expect(differences.map(({ kind, what, eventId }) => [kind, what, eventId > 0])).toEqual([
      ['unused', 'sleep "pause"', true],
      ['new', 'step "scan"', false],
    ]);
    expect(differences[1]?.message).toMatch(/step "scan" is not in the history, at .*replay\.test/);
  });

  it('says which key changed its kind, with its event and source line', async () => {
    const other = changed(async function* () {
      yield* step('fetch', () => 'file');
      return yield* step('pause', () => 'no sleep');
    });
    const error = await replay(other, openHistory).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'REPLAY_INCOMPATIBLE' });
    expect((error as Error).message).toMatch(
      /replay\.test\.ts:\d+.*"pause" is a step in the code, but in event \d+ .*sleep/,
    );
  });

  it('refuses code that ends otherwise than its history', async () => {
    const waits = changed(async function* () {
      yield* step('fetch', () => 'file');
      yield* signal('go on');
    });
    await expect(replay(waits, taskHistory)).rejects.toThrow(
      /the history ends as completed with event \d+, and the code still waits after event \d+, at /,
    );
    const fails = changed(async function* () {
      yield* step('fetch', () => 'file');
      throw new Error('no');
    });
    await expect(replay(fails, taskHistory)).rejects.toThrow('and the code ends as failed');
  });

  it('refuses code that awaits anything else', async () => {
    const stalls = changed(async function* () {
      yield* step('fetch', () => 'file');
      await new Promise(() => undefined);
    });
    await expect(replay(stalls, openHistory)).rejects.toMatchObject({
      code: 'REPLAY_INCOMPATIBLE',
      cause: { code: 'CODE_STALLED' },
    });
  });

  it('follows the order of the history in a race', async () => {
    const racing = new AsyncTask({
      name: 'racing',
      task: async function* () {
        const { index } = yield* race([signal('go'), sleep('1h')]);
        return yield* step(index === 0 ? 'signalled' : 'slept', () => index);
      },
    });
    const other = await TestEnvironment.start([racing]);
    const task = other.get(racing);
    const id = await task.submit(undefined);
    await other.client.workflow.getHandle(id).signal('go');
    await task.result(id);
    expect(await replay(racing, await other.history(id))).toMatchObject({ differences: [] });
    await other.stop();
  });

  it('refuses what is no history of it', async () => {
    const cases: [unknown, RegExp][] = [
      ['{', /JSON/],
      [{ events: [] }, /it holds no events/],
      [{ events: taskHistory.events?.slice(1) }, /does not begin with event 1/],
      [workflowHistory, /of workflow type "order", and "resize" is of "asyncTask_resize"/],
    ];
    for (const [history, message] of cases) {
      const error = await replay(recorded, history as object).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'REPLAY_HISTORY_INVALID' });
      expect((error as Error).message).toMatch(message);
    }
  });
});
