/** Runs a script on the embedded engine, with a clock that the script moves, and on the model, side by side. */
import { createEngine } from '../../../src/engine/engine.ts';
import { attributeTypes } from '../../../src/engine/search-attributes.ts';
import { inProcessConnection } from '../../../src/service/connection.ts';
import type { LogFields } from '../../../src/service/logger.ts';
import { MemoryData } from '../../../src/store/memory/memory-data.ts';
import { MemoryStore } from '../../../src/store/memory/memory-store.ts';
import { ManualClock } from '../../manual-clock.ts';
import type { Action } from '../scripts/action.ts';
import { Actor } from '../scripts/actor.ts';
import { unseen, viewOf, type WorkflowView } from '../scripts/view.ts';
import { linesOfModel, linesOfRun } from './projection.ts';
import { ReferenceModel } from './reference-model.ts';

export type ModelStep = Action | { readonly do: 'advance'; readonly seconds: number };

/** So that what begins in different steps never ends in the same millisecond. */
const stepMs = 1;

/** What the engine and the model say, action by action; equal when the engine follows the rules. */
export async function runBeside(
  script: readonly ModelStep[],
): Promise<{ readonly engine: readonly string[]; readonly model: readonly string[] }> {
  const clock = new ManualClock();
  const complaints: string[] = [];
  const complain = (message: string, context?: LogFields): void => {
    complaints.push(`${message} ${JSON.stringify(context)}`);
  };
  const ignore = (): void => undefined;
  const store = new MemoryStore({ data: new MemoryData() });
  await store.open();
  let ids = 0;
  const engine = createEngine({
    store,
    clock: clock.view(),
    random: {
      next: () => 0.5,
      uuid: () => `00000000-0000-4000-8000-${(ids += 1).toString(16).padStart(12, '0')}`,
    },
    logger: { debug: ignore, info: ignore, warn: complain, error: complain },
    hostId: 'machine',
    pid: 1,
    isPidAlive: () => true,
    defaultNamespace: 'default',
    retentionMs: 365 * 86_400_000,
    acts: true,
  });
  await engine.start();
  const registered = engine.operator.addSearchAttributes({
    namespace: 'default',
    searchAttributes: { CustomKeywordField: attributeTypes.Keyword },
  });
  await clock.settle();
  await registered;
  const connection = inProcessConnection(engine.service, clock.view());
  const actor = new Actor({ name: 'everstep', connection, stop: () => engine.stop() }, 'model');
  const model = new ReferenceModel(clock.now);
  const said = { engine: [] as string[], model: [] as string[] };
  let views: readonly WorkflowView[] = [unseen, unseen, unseen];
  for (const [step, action] of script.entries()) {
    const title = `step ${step}: ${JSON.stringify(action)}`;
    await clock.advance(stepMs);
    model.advance(stepMs);
    if (action.do === 'advance') {
      await clock.advance(action.seconds * 1_000);
      model.advance(action.seconds * 1_000);
    } else {
      const calls = await actor.perform(action, step, views);
      said.engine.push(title, ...calls.map(({ outcome }) => (outcome.ok ? 'OK' : outcome.code)));
      said.model.push(title, ...model.perform(action, step));
    }
    await clock.settle();
    const observed = await actor.observe();
    views = viewOf(observed);
    // What was there before is compared once more only when something differs.
    const now = observed.map((runs) => runs.flatMap((run) => ['run:', ...linesOfRun(run)]));
    const then = model.runs.map((runs) =>
      runs.flatMap((run) => ['run:', ...linesOfModel(run.events)]),
    );
    if (String(now) !== String(then) || String(said.engine) !== String(said.model)) {
      said.engine.push(...now.flat());
      said.model.push(...then.flat());
      break;
    }
  }
  await engine.stop();
  await store.close();
  said.engine.push(...complaints);
  return said;
}
