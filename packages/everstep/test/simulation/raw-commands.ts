/** What a scripted worker decides: every command there is, now and then one that is refused. */
import proto from '@temporalio/proto';
import type { Command } from '../../src/core/proto.ts';
import { durationOf } from '../../src/core/time.ts';
import type { Chance } from '../chance.ts';
import {
  cancelOther,
  cancelRun,
  cancelStep,
  cancelTimer,
  child,
  completeRun,
  continueAsNew,
  failRun,
  signalOther,
  step,
  timer,
} from '../command-kit.ts';
import { payloadsOf } from '../core-driver.ts';
import type { RunView } from './run-view.ts';

const { CommandType, ParentClosePolicy } = proto.temporal.api.enums.v1;

export const rawQueue = 'raw';
export const rawStepQueue = 'raw-steps';
export const rawType = 'Raw';

/** Over the limit of some worlds, and within that of others. */
export const tooManyBytes = 5_000;

export interface Decision {
  readonly commands: readonly Command[];
  readonly closes: boolean;
}

/** Ids that runs may know one another by: few, so that they meet. */
export function rawIds(chance: Chance): string {
  return `raw-${chance.whole(0, 3)}`;
}

function childIds(chance: Chance): string {
  return chance.next() < 0.7 ? `kid-${chance.whole(0, 3)}` : rawIds(chance);
}

export function decide(
  view: RunView,
  chance: Chance,
  token: (kind: string) => string,
  finishing: boolean,
): Decision {
  if (finishing) return { commands: [completeRun()], closes: true };
  const commands: Command[] = [];
  const count = chance.whole(0, 3);
  for (let index = 0; index < count; index += 1) commands.push(drawCommand(view, chance, token));
  const open = view.activities.size + view.timers.size + view.children.size + view.externals.size;
  const ends = view.decisions >= 6 || (view.cancelRequested && chance.next() < 0.6);
  const idle = open === 0 && !commands.some((command) => waits(command));
  if (!ends && !idle && chance.next() < 0.85) return { commands, closes: false };
  commands.push(
    chance.next() < 0.025 ? completeRun('x'.repeat(tooManyBytes)) : drawClose(view, chance),
  );
  if (chance.next() < 0.02) commands.push(marker());
  return { commands, closes: true };
}

function waits(command: Command): boolean {
  return (
    command.scheduleActivityTaskCommandAttributes !== undefined ||
    command.startTimerCommandAttributes !== undefined ||
    command.startChildWorkflowExecutionCommandAttributes !== undefined
  );
}

function drawClose(view: RunView, chance: Chance): Command {
  const at = chance.next();
  if (at < 0.25 && view.chainLeft > 0) {
    return continueAsNew({
      workflowType: { name: rawType },
      taskQueue: { name: rawQueue },
      input: payloadsOf(view.chainLeft - 1),
    });
  }
  if (view.cancelRequested && at < 0.7) return cancelRun();
  if (at < 0.4) return failRun('broken', chance.next() < 0.3);
  return completeRun();
}

function drawCommand(view: RunView, chance: Chance, token: (kind: string) => string): Command {
  const at = chance.next();
  const activity = pick(view.activities.keys(), chance);
  const openTimer = pick(view.timers.values(), chance);
  if (at < 0.035) return bad(view, chance);
  if (at < 0.3) return drawStep(chance, token('activity'));
  if (at < 0.48) return timer(token('timer'), chance.next() < 0.3 ? 1 : chance.whole(1, 8_000));
  if (at < 0.54) return openTimer === undefined ? marker() : cancelTimer(openTimer.timerId);
  if (at < 0.6) return activity === undefined ? marker() : cancelStep(activity);
  if (at < 0.72) return drawChild(chance);
  if (at < 0.8) {
    const target = chance.next() < 0.5 ? rawIds(chance) : childIds(chance);
    return {
      commandType: CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
      signalExternalWorkflowExecutionCommandAttributes: {
        ...signalOther(target).signalExternalWorkflowExecutionCommandAttributes,
        input: payloadsOf(token('signal')),
        childWorkflowOnly: chance.next() < 0.15,
      },
    };
  }
  if (at < 0.85) return cancelOther(chance.next() < 0.3 ? rawIds(chance) : childIds(chance));
  if (at < 0.92) return marker();
  if (at < 0.96) {
    return {
      commandType: CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
      upsertWorkflowSearchAttributesCommandAttributes: {
        searchAttributes: {
          indexedFields: { CustomKeywordField: payloadOf(`v${chance.whole(0, 3)}`, 'Keyword') },
        },
      },
    };
  }
  return {
    commandType: CommandType.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES,
    modifyWorkflowPropertiesCommandAttributes: {
      upsertedMemo: { fields: { note: payloadOf(chance.whole(0, 9)) } },
    },
  };
}

function drawStep(chance: Chance, activityId: string): Command {
  if (chance.next() < 0.06) return hurriedStep(activityId);
  const span = (often: number, low: number, high: number) =>
    chance.next() < often ? durationOf(chance.whole(low, high)) : null;
  return step(activityId, {
    taskQueue: { name: rawStepQueue },
    startToCloseTimeout: durationOf(chance.whole(1_000, 12_000)),
    scheduleToCloseTimeout: span(0.3, 2_000, 20_000),
    scheduleToStartTimeout: span(0.2, 1_000, 8_000),
    heartbeatTimeout: span(0.25, 800, 4_000),
    requestEagerExecution: chance.next() < 0.2,
    retryPolicy: {
      initialInterval: durationOf(chance.whole(100, 2_000)),
      backoffCoefficient: 1 + chance.next(),
      maximumAttempts: chance.whole(1, 4),
      ...(chance.next() < 0.3 ? { maximumInterval: durationOf(2_500) } : {}),
      nonRetryableErrorTypes: chance.next() < 0.2 ? ['Fatal'] : [],
    },
  });
}

/** Whoever does not answer in time leaves none for another attempt (AC-10). */
function hurriedStep(activityId: string): Command {
  return step(activityId, {
    taskQueue: { name: rawStepQueue },
    startToCloseTimeout: durationOf(900),
    scheduleToCloseTimeout: durationOf(1_300),
    retryPolicy: { initialInterval: durationOf(1_000) },
  });
}

function drawChild(chance: Chance): Command {
  const toTasks = chance.next() < 0.08;
  return child(childIds(chance), {
    workflowType: { name: rawType },
    taskQueue: { name: rawQueue },
    input: payloadsOf(chance.whole(0, 1)),
    parentClosePolicy: chance.pick([
      ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE,
      ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON,
      ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
    ]),
    ...(chance.next() < 0.2 ? { workflowRunTimeout: durationOf(chance.whole(1_000, 9_000)) } : {}),
    ...(toTasks ? { namespace: 'nowhere' } : {}),
  });
}

function bad(view: RunView, chance: Chance): Command {
  const activityId = [...view.activities.values()][0];
  const timerId = [...view.timers.values()][0];
  // An id that is open already, where there is one.
  if (activityId !== undefined && chance.next() < 0.7) return step(activityId);
  switch (chance.whole(0, 4)) {
    case 0:
      return timerId === undefined ? cancelTimer('unknown') : timer(timerId.timerId, 100);
    case 1:
      return timer('negative', -1_000);
    case 2:
      return step('unbounded', { startToCloseTimeout: null });
    case 3:
      return completeRun();
    default:
      return { commandType: CommandType.COMMAND_TYPE_START_TIMER };
  }
}

function marker(): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_RECORD_MARKER,
    recordMarkerCommandAttributes: {
      markerName: 'noted',
      details: { data: payloadsOf('side effect') },
    },
  };
}

function payloadOf(value: unknown, type?: string) {
  const [payload = {}] = payloadsOf(value).payloads ?? [];
  if (type === undefined) return payload;
  return { ...payload, metadata: { ...payload.metadata, type: Buffer.from(type) } };
}

function pick<T>(values: Iterable<T>, chance: Chance): T | undefined {
  const list = [...values];
  return list.length === 0 ? undefined : chance.pick(list);
}
