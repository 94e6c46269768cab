/** Starts worker-hello and worker-pizza as two processes over one file, orders from a third, and says what became of it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AsyncTaskComponent } from 'everstep';
import { TASK_QUEUE as helloQueue } from '../domains/hello/index.ts';
import { pizzaWorkflow } from '../domains/pizza/workflow.ts';

export interface Outcome {
  /** By the order's or the caller's name. */
  readonly answers: Readonly<Record<string, string>>;
  /** What the pizzeria did, sorted. */
  readonly book: readonly string[];
  /** Of worker-hello and worker-pizza, once they were told to stop. */
  readonly exitCodes: readonly (number | null)[];
}

const home = fileURLToPath(new URL('..', import.meta.url));

export async function run(): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-domains-'));
  const store = `sqlite:${join(folder, 'domains.db')}`;
  const book = join(folder, 'book.jsonl');
  const workers = ['domains/hello', 'domains.pizza'].map((domains) =>
    worker({ ENABLE_DOMAINS: domains, STORE_URL: store, BOOK: book }),
  );
  try {
    const answers = await ask(store);
    return {
      answers,
      book: linesOf(book).sort(),
      exitCodes: await Promise.all(workers.map(stopped)),
    };
  } finally {
    for (const child of workers) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

function worker(env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', 'src/worker.ts'], {
    cwd: home,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** A process that only submits and reads, as a web server would. */
async function ask(store: string): Promise<Readonly<Record<string, string>>> {
  const component = new AsyncTaskComponent({ store, worker: false });
  component.register(pizzaWorkflow);
  await component.start();
  try {
    const order = { pizza: 'funghi', cents: 1200 } as const;
    const [hello, near, far, odd] = await Promise.all([
      component
        .getClient()
        .workflow.execute('hello', {
          taskQueue: helloQueue,
          workflowId: 'hello-ada',
          args: ['Ada'],
        })
        .then(String),
      pizzaWorkflow.execute({ ...order, id: 'near', address: 'Elm Street 1' }).catch(reasonOf),
      pizzaWorkflow.execute({ ...order, id: 'far', address: 'the moon' }).catch(reasonOf),
      pizzaWorkflow
        .execute({ ...order, id: 'odd', address: 'Elm Street 1', cents: -5 })
        .catch(reasonOf),
    ]);
    return { hello, near, far, odd };
  } finally {
    await component.stop();
  }
}

/** The deepest cause: a failed workflow says which activity failed, and that why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}

function linesOf(book: string): string[] {
  return readFileSync(book, 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { text: string }).text);
}

function stopped(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve(child.exitCode);
      return;
    }
    child.once('exit', resolve);
    child.kill('SIGTERM');
  });
}
