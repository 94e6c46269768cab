/** Runs one script about schedules on two targets at once, action by action, and finds where they first part. */
import type { Said } from '../scripts/actor.ts';
import { Blanker, differences } from '../scripts/comparable.ts';
import type { ComparisonResult } from '../scripts/comparison.ts';
import type { Target } from '../scripts/target.ts';
import { list, record } from '../scripts/view.ts';
import { withTextTimes } from './plain-times.ts';
import type { ScheduleScript } from './schedule-action.ts';
import {
  ScheduleActor,
  scheduleViewOf,
  type ObservedSchedule,
  type ScheduleObservation,
  type ScheduleView,
} from './schedule-actor.ts';

/** The server's schedule is a workflow of its own, and its list follows later. */
const convergeMs = 8_000;
const lookAgainMs = 60;
/** What a change brings about is on its way when the reply is there. */
const settleMs = 60;

export async function compareSchedules(
  script: ScheduleScript,
  targets: readonly [Target, Target],
  prefix: string,
): Promise<ComparisonResult> {
  const ours = new ScheduleActor(targets[0], prefix);
  const theirs = new ScheduleActor(targets[1], prefix);
  let views: readonly ScheduleView[] = [];
  const comparableOf = comparableIn(script);
  let calls = 0;
  let events = 0;
  try {
    for (const [step, action] of script.entries()) {
      const said = await Promise.all([
        ours.perform(action, step, views),
        theirs.perform(action, step, views),
      ]);
      calls += said[0].length;
      if (said[0].length === 0 && said[1].length === 0) continue;
      const unlike = differences(comparableOf(said[0], []), comparableOf(said[1], []));
      if (unlike.length > 0) return { difference: { step, what: unlike }, calls, events };
      for (const until = Date.now() + convergeMs; ;) {
        await pause(settleMs);
        const seen = await Promise.all([ours.observe(), theirs.observe()]);
        const what = differences(comparableOf([], seen[0]), comparableOf([], seen[1]));
        views = seen[0].map(scheduleViewOf);
        events = eventsOf(seen[0]);
        if (what.length === 0) {
          ours.keep(seen[0]);
          theirs.keep(seen[1]);
          break;
        }
        if (Date.now() > until) return { difference: { step, what }, calls, events };
        await pause(lookAgainMs);
      }
    }
    return { difference: undefined, calls, events };
  } finally {
    await Promise.all([ours.cleanUp(), theirs.cleanUp()]);
  }
}

/**
 * Histories come first: they give the ids their numbers. The server does not count a start that another takes the
 * place of before it is made, which happens where several come at once.
 */
function comparableIn(script: ScheduleScript) {
  const text = JSON.stringify(script);
  const replaces = /"backfill"/.test(text) && /"overlap":[45]/.test(text);
  const info = (value: unknown): unknown =>
    replaces ? { ...record(value), overlapSkipped: '0' } : value;
  const described = ({ description }: ObservedSchedule): unknown =>
    description.ok ? { ...description.reply, info: info(description.reply['info']) } : description;
  return (said: readonly Said[], observation: ScheduleObservation): unknown => {
    const blanker = new Blanker();
    return {
      histories: blanker.comparable(observation.map(({ runs }) => runs)),
      descriptions: blanker.comparable(observation.map(described).map((one) => withTextTimes(one))),
      listed: blanker.comparable(observation.map(({ listed }) => withTextTimes(listed ?? null))),
      said: blanker.comparable(said),
    };
  };
}

function eventsOf(observation: ScheduleObservation): number {
  return observation
    .flatMap(({ runs }) => runs)
    .reduce(
      (sum, { history }) =>
        sum + (history.ok ? list(record(history.reply['history'])['events']).length : 0),
      0,
    );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
