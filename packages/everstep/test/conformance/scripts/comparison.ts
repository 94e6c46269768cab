/** Runs one script on two targets at once, action by action, and finds where they first part. */
import type { Action, Script } from './action.ts';
import { Actor, type Said } from './actor.ts';
import { Blanker, differences } from './comparable.ts';
import type { Target } from './target.ts';
import {
  record,
  text,
  unseen,
  viewOf,
  type ObservedRun,
  type Observation,
  type WorkflowView,
} from './view.ts';

interface Difference {
  readonly step: number;
  readonly what: readonly string[];
}
export interface ComparisonResult {
  readonly difference: Difference | undefined;
  readonly calls: number;
  readonly events: number;
}

/** What is said to the client is final; what follows in the background has this long to become the same. */
const convergeMs = 2_500;
/** The server deletes a run when its other tasks are done, and comes back to that after a while. */
const deletedMs = 5_000;
const lookAgainMs = 40;
/** Messages between runs are on their way when the reply is there. */
const settleMs = 15;

export async function compareScript(
  script: Script,
  targets: readonly [Target, Target],
  prefix: string,
): Promise<ComparisonResult> {
  const ours = new Actor(targets[0], prefix);
  const theirs = new Actor(targets[1], prefix);
  let views: readonly WorkflowView[] = [unseen, unseen, unseen];
  let calls = 0;
  let events = 0;
  for (const [step, action] of script.entries()) {
    const said = await Promise.all([
      ours.perform(action, step, views),
      theirs.perform(action, step, views),
    ]);
    calls += said[0].length;
    if (said[0].length === 0 && said[1].length === 0) continue;
    const unlike = parted(said[0], said[1], [], []);
    if (unlike.length > 0) return { difference: { step, what: unlike }, calls, events };
    const until = Date.now() + (deletes(action) ? deletedMs : convergeMs);
    for (;;) {
      await pause(settleMs);
      const [mine, other] = await Promise.all([ours.observe(), theirs.observe()]);
      const what = parted(said[0], said[1], mine, other);
      views = viewOf(mine);
      events = views.reduce((sum, view) => sum + view.eventCount, 0);
      if (what.length === 0) break;
      if (Date.now() > until) {
        const rest = isDeletedLater(mine, other) ? withoutDeleted(mine, other) : undefined;
        const late = rest && parted(said[0], said[1], ...rest).length === 0;
        return { difference: late ? undefined : { step, what }, calls, events };
      }
      await pause(lookAgainMs);
    }
  }
  return { difference: undefined, calls, events };
}

function deletes(action: Action): boolean {
  return action.do === 'delete' || (action.do === 'batch' && action.operation === 'delete');
}

/** Runs that are gone from the first, and closed and still there in the second. The script has to end there. */
function isDeletedLater(mine: Observation, other: Observation): boolean {
  return mine.some((runs, workflow) =>
    runs.some(({ description }, index) => !description.ok && isClosed(other[workflow]?.[index])),
  );
}

function withoutDeleted(
  mine: Observation,
  other: Observation,
): [ours: Observation, theirs: Observation] {
  const stays = (workflow: number, index: number): boolean =>
    mine[workflow]?.[index]?.description.ok === true || !isClosed(other[workflow]?.[index]);
  const left = (observation: Observation): Observation =>
    observation.map((runs, workflow) => runs.filter((_, index) => stays(workflow, index)));
  return [left(mine), left(other)];
}

function isClosed(run: ObservedRun | undefined): boolean {
  if (run?.description.ok !== true) return false;
  const info = record(run.description.reply['workflowExecutionInfo']);
  return !text(info['status']).endsWith('_RUNNING');
}

function parted(
  saidOurs: readonly Said[],
  saidTheirs: readonly Said[],
  ours: Observation,
  theirs: Observation,
): readonly string[] {
  return differences(comparable(saidOurs, ours), comparable(saidTheirs, theirs));
}

/** Histories come first: they give the ids their numbers. */
function comparable(said: readonly Said[], observation: Observation): unknown {
  const blanker = new Blanker();
  const histories = observation.map((runs) => runs.map((run) => run.history));
  const descriptions = observation.map((runs) => runs.map((run) => run.description));
  return {
    histories: blanker.comparable(histories),
    descriptions: blanker.comparable(descriptions),
    said: blanker.comparable(said),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
