/** A component under load in this process: it is submitted to all the time, and what becomes of it is counted. */
import { setTimeout as pause } from 'node:timers/promises';
import {
  all,
  AsyncTask,
  AsyncTaskComponent,
  sleep,
  step,
  type Logger,
  type StepContext,
} from '../../src/index.ts';

const apartMs = 25;
const endMsMax = 60_000;

interface Work {
  readonly n: number;
}

export class Load {
  readonly component: AsyncTaskComponent;
  /** What was logged as a warning or an error. */
  readonly lines: string[] = [];
  /** Messages of refused submits, with how often each came. */
  readonly refusals = new Map<string, number>();
  acknowledged = 0;
  /** The longest that a submit took, to whatever answer. */
  slowestMs = 0;
  #waiting = 0;
  #submitted = 0;
  #going: Promise<void> | undefined;
  #isOver = false;
  readonly #tasks: readonly AsyncTask<Work, number>[];
  readonly #accepted: (readonly [AsyncTask<Work, number>, string])[] = [];
  /** How often each step has come to its end. */
  readonly #ran = new Map<string, number>();
  readonly #acknowledgements = new Set<() => void>();

  constructor(store: string) {
    const note = ({ taskId }: StepContext, key: string): void => {
      const name = `${taskId}/${key}`;
      this.#ran.set(name, (this.#ran.get(name) ?? 0) + 1);
    };
    const single = new AsyncTask({
      name: 'single',
      task: async ({ n }: Work, context) => {
        await pause(n % 300);
        note(context, 'single');
        return n;
      },
    });
    const several = new AsyncTask({
      name: 'several',
      task: async function* ({ n }: Work) {
        for (const key of ['first', 'second']) {
          yield* step(key, async (context) => {
            await pause((n * 7) % 200);
            note(context, key);
          });
        }
        yield* sleep(500);
        const parts = yield* all(
          [1, 2, 3].map((part) =>
            step(`part-${part}`, async (context) => {
              context.heartbeat(part);
              await pause(20 * part);
              note(context, `part-${part}`);
              return part;
            }),
          ),
        );
        return n + parts.length - 3;
      },
    });
    this.#tasks = [single, single, several];
    const say = (message: string, fields: object = {}): void => {
      const { error } = fields as { readonly error?: unknown };
      this.lines.push(error instanceof Error ? `${message}: ${error.message}` : message);
    };
    const silent = (): void => undefined;
    const logger: Logger = { debug: silent, info: silent, warn: say, error: say };
    this.component = new AsyncTaskComponent({ store, logger });
    this.component.registerAll([single, several]);
  }

  async start(): Promise<void> {
    await this.component.start();
    this.#going = this.#go();
  }

  /** Submits that wait for their answer. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Resolves when that many more were acknowledged. */
  async until(more: number): Promise<void> {
    const wanted = this.acknowledged + more;
    while (this.acknowledged < wanted) {
      await new Promise<void>((resolve) => this.#acknowledgements.add(resolve));
    }
  }

  /** Submits no more, and waits for every acknowledged task to end. */
  async ended(): Promise<{ readonly wrong: readonly string[]; readonly twice: readonly string[] }> {
    this.#isOver = true;
    await this.#going;
    while (this.#waiting > 0) await pause(apartMs);
    const wrong: string[] = [];
    await Promise.all(
      this.#accepted.map(async ([task, taskId]) => {
        const result = await task
          .result(taskId, { timeout: endMsMax })
          .catch((error: unknown) => String(error));
        if (result !== Number(taskId.slice('load-'.length))) wrong.push(`${taskId}: ${result}`);
      }),
    );
    const twice = [...this.#ran].filter(([, times]) => times > 1).map(([name]) => name);
    return { wrong, twice };
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#going;
    await this.component.stop({ gracePeriod: 0 });
  }

  async #go(): Promise<void> {
    while (!this.#isOver) {
      this.#submitted += 1;
      void this.#submit(this.#submitted);
      await pause(apartMs);
    }
  }

  async #submit(n: number): Promise<void> {
    const task = this.#tasks[n % this.#tasks.length] as AsyncTask<Work, number>;
    const taskId = `load-${n}`;
    const startedAt = performance.now();
    this.#waiting += 1;
    try {
      await task.submit({ n }, { taskId });
      this.#accepted.push([task, taskId]);
      this.acknowledged += 1;
      for (const resolve of this.#acknowledgements) resolve();
      this.#acknowledgements.clear();
    } catch (error) {
      const { code, message } = error as { readonly code?: unknown; readonly message: string };
      const refusal = `${String(code)} ${message.replaceAll(taskId, '…')}`;
      this.refusals.set(refusal, (this.refusals.get(refusal) ?? 0) + 1);
    } finally {
      this.#waiting -= 1;
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAt);
    }
  }
}
