/**
 * Random programs of async tasks, as data, and the tasks that run them. A program notes what its code saw, in the
 * order in which it saw it, and that is its result: so it can be held against the history.
 */
import {
  all,
  ApplicationFailure,
  AsyncTask,
  remoteJob,
  signal,
  sleep,
  step,
  type AnyAsyncTask,
  type StepContext,
} from '../../src/index.ts';
import type { Chance } from '../chance.ts';
import { race } from '../../src/tasks/steps.ts';

export type TaskNode =
  | {
      readonly op: 'step';
      readonly key: string;
      readonly ms: number;
      /** The first so many attempts fail. */
      readonly fails: number;
      readonly retries: number;
      readonly timeoutMs: number;
      readonly beats: boolean;
      readonly shielded: boolean;
    }
  | { readonly op: 'sleep'; readonly key: string; readonly ms: number }
  | { readonly op: 'signal'; readonly name: string }
  | { readonly op: 'seq' | 'all' | 'race'; readonly nodes: readonly TaskNode[] }
  | { readonly op: 'job'; readonly key: string; readonly polls: number; readonly everyMs: number };

export interface TaskParams {
  readonly program: TaskNode;
}

/** What the code saw: of steps and sleeps the key and the value, of a race who won. */
export type Seen = readonly [what: string, value: string];

export const signalNames = ['go', 'stop'] as const;

export function drawProgram(chance: Chance): TaskNode {
  let keys = 0;
  const key = (): string => {
    keys += 1;
    return `k${keys}`;
  };
  const draw = (depth: number): TaskNode => {
    const at = chance.next();
    if (depth > 0 && at < 0.4) {
      const op = at < 0.16 ? 'seq' : at < 0.29 ? 'all' : 'race';
      const count = chance.whole(op === 'race' ? 2 : 1, 3);
      return { op, nodes: Array.from({ length: count }, () => draw(depth - 1)) };
    }
    if (at < 0.5) return { op: 'sleep', key: key(), ms: chance.whole(1, 6_000) };
    if (at < 0.58) return { op: 'signal', name: chance.pick(signalNames) };
    if (at < 0.65) {
      const polls = chance.whole(1, 4);
      return { op: 'job', key: key(), polls, everyMs: chance.whole(100, 2_000) };
    }
    return {
      op: 'step',
      key: key(),
      ms: chance.next() < 0.4 ? 0 : chance.whole(1, 4_000),
      fails: chance.next() < 0.7 ? 0 : chance.whole(1, 4),
      retries: chance.whole(0, 4),
      timeoutMs: chance.next() < 0.3 ? chance.whole(1_000, 5_000) : 15_000,
      beats: chance.next() < 0.2,
      shielded: chance.next() < 0.1,
    };
  };
  return { op: 'seq', nodes: Array.from({ length: chance.whole(1, 3) }, () => draw(2)) };
}

/** What a step does in the process that runs it. */
export interface StepWorld {
  /** So long in the time of the programs. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** New each time. */
  token(): string;
  ran(key: string, attempt: number, taskId: string): void;
  /** What a span of a program is multiplied with before the service is asked for it; 1 where it is left out. */
  readonly scale?: number;
}

/** What the service is asked for, in whole milliseconds. */
export function spanIn({ scale = 1 }: StepWorld, ms: number): number {
  return Math.ceil(ms * scale);
}

export async function act(
  world: StepWorld,
  node: Extract<TaskNode, { op: 'step' }>,
  context: StepContext,
): Promise<string> {
  world.ran(node.key, context.attempt, context.taskId);
  if (node.beats) {
    await world.wait(node.ms / 2, context.signal);
    context.heartbeat({ at: node.key });
    await world.wait(node.ms / 2, context.signal);
  } else if (node.ms > 0) {
    await world.wait(node.ms, context.signal);
  }
  if (context.attempt <= node.fails) throw new ApplicationFailure('not yet', 'Shaky');
  return world.token();
}

export function makeTasks(world: StepWorld): AnyAsyncTask[] {
  type Steps = Generator<unknown, void, unknown>;

  function* perform(node: TaskNode, seen: Seen[]): Steps {
    switch (node.op) {
      case 'step': {
        const { key, retries, timeoutMs, beats, shielded } = node;
        try {
          const token: unknown = yield* step(key, (context) => act(world, node, context), {
            retryPolicy: {
              maxRetries: retries,
              initialDelay: spanIn(world, 200),
              backoffMultiplier: 2,
            },
            timeouts: { startToClose: timeoutMs, ...(beats ? { heartbeat: 5_000 } : {}) },
            shielded,
          }) as Iterable<unknown>;
          seen.push([key, String(token)]);
        } catch (error) {
          if (isCancelled(error)) throw error;
          seen.push([key, 'failed']);
        }
        break;
      }
      case 'sleep':
        yield* sleep(spanIn(world, node.ms), { key: node.key }) as Iterable<unknown>;
        seen.push([node.key, 'slept']);
        break;
      case 'signal': {
        const value: unknown = yield* signal(node.name) as Iterable<unknown>;
        seen.push([`signal ${node.name}`, String(value)]);
        break;
      }
      case 'job':
        try {
          const token = (yield* remoteJob<string, string>({
            key: node.key,
            submit: () => Promise.resolve(world.token()),
            poll: (job, context) =>
              Promise.resolve(
                context.attempt >= node.polls
                  ? { done: true as const, value: `${job}!` }
                  : { done: false as const, retryAfterMs: spanIn(world, node.everyMs) },
              ),
            every: spanIn(world, node.everyMs),
            timeout: '1m',
          }) as Iterable<unknown>) as string;
          seen.push([`${node.key}#poll`, token]);
        } catch (error) {
          if (isCancelled(error)) throw error;
          seen.push([`${node.key}#poll`, 'failed']);
        }
        break;
      case 'seq':
        for (const child of node.nodes) yield* perform(child, seen);
        break;
      case 'all':
        yield* all(node.nodes.map((child) => perform(child, seen))) as Iterable<unknown>;
        break;
      case 'race': {
        const won = (yield* race(
          node.nodes.map((child) => perform(child, seen)),
        ) as Iterable<unknown>) as { readonly index: number };
        seen.push(['race', String(won.index)]);
        break;
      }
    }
  }

  function* whole({ program }: TaskParams): Generator<unknown, Seen[], unknown> {
    const seen: Seen[] = [];
    yield* perform(program, seen);
    return seen;
  }

  // A step of a worker that polls is missed by nobody before its time is up, half an hour by default.
  const timeouts = { startToClose: '20s' } as const;
  return [
    new AsyncTask({ name: 'many', task: whole, timeouts }),
    new AsyncTask({
      name: 'limited',
      task: whole,
      timeouts,
      limit: { concurrent: 2, perSecond: 4 / (world.scale ?? 1) },
    }),
    // Nothing shows before it is called that it has many steps.
    new AsyncTask({ name: 'wrapped', task: (params: TaskParams) => whole(params), timeouts }),
    new AsyncTask({
      name: 'lone',
      task: async (_params: TaskParams, context: StepContext) => {
        await world.wait(500, context.signal);
        if (context.attempt === 1) throw new ApplicationFailure('once', 'Shaky');
        return [['run', world.token()]];
      },
      timeouts: { startToClose: '10s' },
      retryPolicy: { initialDelay: spanIn(world, 1_000) },
    }),
  ];
}

export function isCancelled(error: unknown): boolean {
  return error instanceof Error && error.name === 'CancelledFailure';
}

export const taskTypes = ['many', 'limited', 'wrapped', 'lone'].map((name) => `asyncTask_${name}`);
