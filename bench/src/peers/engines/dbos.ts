/**
 * DBOS. `startWorkflow` records the workflow and runs it in this process at once, which is its fastest path: a queue
 * of its own would be polled, and a handle that is looked up by id polls too.
 */
import { loadPackage } from '../packages-folder.ts';
import { urlOf, type StartEngine } from './engine.ts';

interface Handle<Result> {
  getResult(): Promise<Result>;
}
type Workflow<Params, Result> = (params: Params) => Promise<Result>;
interface Dbos {
  setConfig(config: Readonly<Record<string, unknown>>): void;
  launch(): Promise<void>;
  shutdown(): Promise<void>;
  registerWorkflow<Params, Result>(
    workflow: Workflow<Params, Result>,
    options: { readonly name: string },
  ): Workflow<Params, Result>;
  runStep<Result>(step: () => Promise<Result>, options: { readonly name: string }): Promise<Result>;
  startWorkflow<Params, Result>(
    workflow: Workflow<Params, Result>,
  ): (params: Params) => Promise<Handle<Result>>;
}

export const startEngine: StartEngine = async (setting) => {
  const { DBOS } = await loadPackage<{ readonly DBOS: Dbos }>(
    setting.packages,
    '@dbos-inc/dbos-sdk',
  );
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: urlOf(setting, 'postgres'),
    logLevel: 'error',
  });
  const next = (name: string, number: number): Promise<number> =>
    DBOS.runStep(async () => number + 1, { name });
  const oneStep = DBOS.registerWorkflow(
    ({ number }: { readonly number: number; readonly text: string }) => next('one', number),
    { name: 'one-step' },
  );
  const fiveSteps = DBOS.registerWorkflow(
    async ({ number }: { readonly number: number }) => {
      const one = await next('one', number);
      const two = await next('two', one);
      const three = await next('three', two);
      const four = await next('four', three);
      return next('five', four);
    },
    { name: 'five-step' },
  );
  await DBOS.launch();
  return {
    oneStep: async (params) => (await DBOS.startWorkflow(oneStep)(params)).getResult(),
    fiveSteps: async (params) => (await DBOS.startWorkflow(fiveSteps)(params)).getResult(),
    stop: () => DBOS.shutdown(),
  };
};
