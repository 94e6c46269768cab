/**
 * OpenWorkflow. Its handle asks once a second whether the run has ended, which would measure that second; here the
 * backend itself says when it has written the end of a run, the earliest that anyone could know.
 */
import { join } from 'node:path';
import type { OneStepParams } from '../../params.ts';
import { lanes } from '../../lanes.ts';
import { loadPackage } from '../packages-folder.ts';
import type { StartEngine } from './engine.ts';

interface Run {
  readonly id: string;
  readonly output: unknown;
}
interface Backend {
  completeWorkflowRun(request: unknown): Promise<Run>;
  stop(): Promise<void>;
}
interface BackendClass {
  connect(where: string): Backend | Promise<Backend>;
}
interface Workflow<Params> {
  run(params: Params): Promise<{ readonly workflowRun: Run }>;
}
interface Step {
  run<Result>(options: { readonly name: string }, step: () => Result): Promise<Result>;
}
interface Client {
  defineWorkflow<Params>(
    options: { readonly name: string },
    workflow: (given: { readonly input: Params; readonly step: Step }) => Promise<number>,
  ): Workflow<Params>;
  newWorker(options: { readonly concurrency: number }): {
    start(): Promise<void>;
    stop(): Promise<void>;
  };
}

export const startEngine: StartEngine = async ({ packages, folder, urls }) => {
  const { OpenWorkflow } = await loadPackage<{
    readonly OpenWorkflow: new (options: { readonly backend: Backend }) => Client;
  }>(packages, 'openworkflow');
  const backend = await connect(packages, folder, urls['postgres']);
  const outputs = new Map<string, unknown>();
  const waiting = new Map<string, (output: unknown) => void>();
  const complete = backend.completeWorkflowRun.bind(backend);
  backend.completeWorkflowRun = async (request) => {
    const run = await complete(request);
    const told = waiting.get(run.id);
    waiting.delete(run.id);
    // A run may end before `run` has said its id.
    if (told === undefined) outputs.set(run.id, run.output);
    else told(run.output);
    return run;
  };
  const outputOf = async (id: string): Promise<number> => {
    const output = outputs.has(id)
      ? outputs.get(id)
      : await new Promise((resolve) => waiting.set(id, resolve));
    outputs.delete(id);
    return Number(output);
  };

  const client = new OpenWorkflow({ backend });
  const oneStep = client.defineWorkflow<OneStepParams>({ name: 'one-step' }, ({ input, step }) =>
    step.run({ name: 'one' }, () => input.number + 1),
  );
  const fiveSteps = client.defineWorkflow<{ readonly number: number }>(
    { name: 'five-step' },
    async ({ input, step }) => {
      const one = await step.run({ name: 'one' }, () => input.number + 1);
      const two = await step.run({ name: 'two' }, () => one + 1);
      const three = await step.run({ name: 'three' }, () => two + 1);
      const four = await step.run({ name: 'four' }, () => three + 1);
      return step.run({ name: 'five' }, () => four + 1);
    },
  );
  const worker = client.newWorker({ concurrency: lanes });
  await worker.start();
  return {
    oneStep: async (params) => outputOf((await oneStep.run(params)).workflowRun.id),
    fiveSteps: async (params) => outputOf((await fiveSteps.run(params)).workflowRun.id),
    stop: async () => {
      await worker.stop();
      await backend.stop();
    },
  };
};

/** Its SQLite file is in WAL mode with SQLite's own synchronous=FULL. */
async function connect(
  packages: string,
  folder: string,
  postgres: string | undefined,
): Promise<Backend> {
  if (postgres === undefined) {
    const { BackendSqlite } = await loadPackage<{ readonly BackendSqlite: BackendClass }>(
      packages,
      'openworkflow/sqlite',
    );
    return BackendSqlite.connect(join(folder, 'bench.db'));
  }
  const { BackendPostgres } = await loadPackage<{ readonly BackendPostgres: BackendClass }>(
    packages,
    'openworkflow/postgres',
  );
  return BackendPostgres.connect(postgres);
}
