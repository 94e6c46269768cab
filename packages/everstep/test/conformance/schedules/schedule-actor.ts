/**
 * Plays the clients of a script about schedules on one target, and the worker of what they start. It keeps what only
 * that target can give: run ids and task tokens.
 */
import proto from '@temporalio/proto';
import { durationOf, longOf, timestampOf } from '../../../src/core/time.ts';
import type { RpcName } from '../../../src/service/workflow-service.ts';
import { payloadsOf } from '../../core-driver.ts';
import type { Said } from '../scripts/actor.ts';
import { call, type Outcome, type Plain, type Target } from '../scripts/target.ts';
import { bytesOf, list, record, text } from '../scripts/view.ts';
import type {
  RunAnswer,
  ScheduleAction,
  ScheduleOptions,
  SchedulePatch,
} from './schedule-action.ts';
import { textOfTime } from './plain-times.ts';

const { CommandType } = proto.temporal.api.enums.v1;

export const schedulesOfScript = 2;

const allowAll = 6;
const namespace = 'default';
const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** Days of scripts count from here: long ago, so that nothing happens by itself. */
const firstDay = Date.UTC(2024, 1, 27);
/** No time of a spec. */
const oddMs = 45_296_000;
const daysPerStep = 17;
const pollMs = 15_000;
const listPageMax = 1_000;

interface ObservedAction {
  readonly workflowId: string;
  readonly runId: string;
  readonly history: Outcome;
}
export interface ObservedSchedule {
  readonly description: Outcome;
  /** In the order in which they became known. */
  readonly runs: readonly ObservedAction[];
  /** As it is listed; undefined when it is not. */
  readonly listed: Plain | undefined;
}
export type ScheduleObservation = readonly ObservedSchedule[];

export interface ScheduleView {
  /** Places of runs that are open. */
  readonly open: readonly number[];
  /** A start waits for a run to end. */
  readonly waits: boolean;
  readonly overlap: string;
}

const unseenSchedule: ScheduleView = { open: [], waits: false, overlap: '' };

export function scheduleViewOf({ runs, description }: ObservedSchedule): ScheduleView {
  const open = runs.flatMap(({ history }, index) => {
    const events = history.ok ? list(record(history.reply['history'])['events']) : [];
    const last = text(events.at(-1)?.['eventType']);
    return history.ok && !closing.test(last) ? [index] : [];
  });
  if (!description.ok) return { ...unseenSchedule, open };
  const { info, schedule } = description.reply;
  return {
    open,
    waits: text(record(info)['bufferSize']) !== '0',
    overlap: text(record(record(schedule)['policies'])['overlapPolicy']),
  };
}

const closing = /EXECUTION_(COMPLETED|FAILED|CANCELED|TERMINATED|TIMED_OUT|CONTINUED_AS_NEW)$/;

interface KnownRun {
  readonly workflowId: string;
  readonly runId: string;
}

export class ScheduleActor {
  readonly #target: Target;
  readonly #prefix: string;
  readonly #runs: KnownRun[][] = [];
  readonly #tokens = new Map<string, Uint8Array>();
  /** Runs that others wait for: those that were started alone. */
  readonly #tracked = new Set<string>();
  readonly #deleted = new Set<number>();
  #lastNow = 0;
  #said: Said[] = [];

  constructor(target: Target, prefix: string) {
    this.#target = target;
    this.#prefix = prefix;
    for (let schedule = 0; schedule < schedulesOfScript; schedule += 1) this.#runs.push([]);
  }

  async perform(
    action: ScheduleAction,
    step: number,
    views: readonly ScheduleView[],
  ): Promise<Said[]> {
    this.#said = [];
    await this.#do(action, step, views[action.schedule] ?? unseenSchedule);
    return this.#said;
  }

  async observe(): Promise<ScheduleObservation> {
    const listed = await this.#listed();
    const observation: ObservedSchedule[] = [];
    for (let schedule = 0; schedule < schedulesOfScript; schedule += 1) {
      const scheduleId = this.#scheduleId(schedule);
      const description = await call(this.#target, 'describeSchedule', { namespace, scheduleId });
      const runs = await Promise.all(
        this.#runsOf(schedule, description).map(async (execution) => ({
          ...execution,
          history: await call(this.#target, 'getWorkflowExecutionHistory', {
            namespace,
            execution,
          }),
        })),
      );
      const entry = listed.find((one) => one['scheduleId'] === scheduleId);
      observation.push(this.#withoutUntracked({ description, runs, listed: entry }));
    }
    return observation;
  }

  /** Leaves nothing behind: lists hold every schedule of every script. */
  async cleanUp(): Promise<void> {
    for (let schedule = 0; schedule < schedulesOfScript; schedule += 1) {
      const scheduleId = this.#scheduleId(schedule);
      await call(this.#target, 'deleteSchedule', { namespace, scheduleId });
      for (const workflowExecution of this.#runs[schedule] ?? []) {
        await call(this.#target, 'terminateWorkflowExecution', { namespace, workflowExecution });
      }
    }
  }

  async #listed(): Promise<readonly Plain[]> {
    const found = await call(this.#target, 'listSchedules', {
      namespace,
      maximumPageSize: listPageMax,
    });
    return found.ok ? list(found.reply['schedules']) : [];
  }

  #scheduleId(schedule: number): string {
    return `${this.#prefix}-${schedule}`;
  }

  /** Those known, and those that are new. */
  #runsOf(schedule: number, description: Outcome): KnownRun[] {
    const runs = [...(this.#runs[schedule] ?? [])];
    const info = description.ok ? record(description.reply['info']) : {};
    const started = list(info['recentActions']).map((one) => record(one['startWorkflowResult']));
    for (const execution of [...started, ...list(info['runningWorkflows'])]) {
      const runId = text(execution['runId']);
      if (runId === '' || runs.some((known) => known.runId === runId)) continue;
      runs.push({ workflowId: text(execution['workflowId']), runId });
    }
    return runs;
  }

  /** The server does not learn how runs end that were started beside others. */
  #withoutUntracked(seen: ObservedSchedule): ObservedSchedule {
    const { description } = seen;
    if (description.ok) {
      for (const { runId } of list(record(description.reply['info'])['runningWorkflows'])) {
        this.#tracked.add(text(runId));
      }
    }
    const statusLeftOut = (info: unknown) => ({
      ...record(info),
      recentActions: list(record(info)['recentActions']).map((action) => {
        const { startWorkflowStatus, ...rest } = action;
        const isTracked = this.#tracked.has(text(record(rest['startWorkflowResult'])['runId']));
        return isTracked ? { startWorkflowStatus, ...rest } : rest;
      }),
    });
    const { listed } = seen;
    return {
      ...seen,
      ...(listed && { listed: { ...listed, info: statusLeftOut(listed['info']) } }),
      ...(description.ok && {
        description: {
          ok: true,
          reply: { ...description.reply, info: statusLeftOut(description.reply['info']) },
        },
      }),
    };
  }

  /** What was seen is settled: from now on its runs are known. */
  keep(observation: ScheduleObservation): void {
    for (const [schedule, { runs }] of observation.entries()) {
      this.#runs[schedule] = runs.map(({ workflowId, runId }) => ({ workflowId, runId }));
    }
  }

  async #do(action: ScheduleAction, step: number, view: ScheduleView): Promise<void> {
    const { schedule } = action;
    const named = { namespace, scheduleId: this.#scheduleId(schedule), identity: 'client' };
    switch (action.do) {
      case 'create': {
        const created = await this.#call('createSchedule', {
          ...named,
          requestId: `${this.#prefix}-create-${action.requestId ?? `step-${step}`}`,
          schedule: this.#wireSchedule(schedule, action.options),
          ...(action.patch && { initialPatch: await this.#wirePatch(action.patch, step) }),
          ...(action.memo && { memo: { fields: { about: payloadOf('memo') } } }),
          ...(action.attributes && attributesOf('own')),
        });
        if (created.ok) this.#deleted.delete(schedule);
        return;
      }
      case 'update': {
        const { token } = action;
        const found = await call(this.#target, 'describeSchedule', {
          namespace,
          scheduleId: named.scheduleId,
        });
        const conflictToken = found.ok ? bytesOf(found.reply['conflictToken']) : undefined;
        await this.#call('updateSchedule', {
          ...named,
          requestId: `update-step-${step}`,
          schedule: this.#wireSchedule(schedule, action.options),
          ...(token === 'fresh' && conflictToken && { conflictToken }),
          ...(action.attributes && attributesOf('changed')),
        });
        return;
      }
      case 'patch':
        if (view.waits && isBeside(action.patch, view)) return;
        await this.#call('patchSchedule', {
          ...named,
          requestId: `patch-step-${step}`,
          patch: await this.#wirePatch(action.patch, step),
        });
        return;
      case 'matchingTimes': {
        if (this.#deleted.has(schedule)) return;
        const from = firstDay + action.fromDay * dayMs;
        const outcome = await call(this.#target, 'listScheduleMatchingTimes', {
          ...named,
          ...(action.lacks !== 'start' && { startTime: timestampOf(from) }),
          ...(action.lacks !== 'end' && { endTime: timestampOf(from + action.hours * hourMs) }),
        });
        // The times themselves are what is compared.
        const times = outcome.ok ? list(outcome.reply['startTime']).map(textOfTime) : [];
        this.#said.push({
          rpc: 'listScheduleMatchingTimes',
          // The server asks a workflow, whose refusal has a detail of its own.
          outcome: outcome.ok
            ? { ok: true, reply: { times } }
            : { ...outcome, details: outcome.code === 'NOT_FOUND' ? outcome.details : [] },
        });
        return;
      }
      case 'delete':
        if ((await this.#call('deleteSchedule', named)).ok) this.#deleted.add(schedule);
        return;
      case 'finish':
        await this.#finish(schedule, view.open, action.pick, action.answer);
    }
  }

  async #call(rpc: RpcName, request: object): Promise<Outcome> {
    const outcome = await call(this.#target, rpc, request);
    this.#said.push({ rpc, outcome });
    return outcome;
  }

  #queue(schedule: number): string {
    return `${this.#scheduleId(schedule)}-queue`;
  }

  #wireSchedule(schedule: number, options: ScheduleOptions) {
    const { flaw, catchupSeconds, remaining } = options;
    return {
      spec: options.spec,
      action: {
        startWorkflow: {
          workflowId: `${this.#scheduleId(schedule)}-run`,
          workflowType: { name: flaw === 'noType' ? '' : 'order' },
          taskQueue: { name: flaw === 'noQueue' ? '' : this.#queue(schedule) },
          input: payloadsOf('input'),
          workflowTaskTimeout: durationOf(100_000),
          ...(flaw === 'negative' && { workflowRunTimeout: durationOf(-1_000) }),
          ...(flaw === 'cron' && { cronSchedule: '@daily' }),
          ...(flaw === 'reusePolicy' && { workflowIdReusePolicy: 3 }),
          ...(options.memo && { memo: { fields: { of: payloadOf('workflow') } } }),
          ...(options.attributes && attributesOf('of the workflow')),
        },
      },
      policies: {
        overlapPolicy: options.overlap,
        ...(catchupSeconds !== undefined && { catchupWindow: durationOf(catchupSeconds * 1_000) }),
        ...(options.pauseOnFailure && { pauseOnFailure: true }),
      },
      state: {
        ...(options.notes !== undefined && { notes: options.notes }),
        ...(options.paused && { paused: true }),
        ...(remaining !== undefined && {
          limitedActions: true,
          remainingActions: longOf(remaining),
        }),
      },
    };
  }

  async #wirePatch(patch: SchedulePatch, step: number) {
    // Each step has its own days, so that no workflow id comes twice.
    const from = firstDay + step * daysPerStep * dayMs;
    switch (patch.patch) {
      case 'pause':
        return { pause: 'for a while' };
      case 'unpause':
        return { unpause: 'go on' };
      case 'trigger': {
        const scheduledTime = timestampOf(from + oddMs);
        return { triggerImmediately: { overlapPolicy: patch.overlap, scheduledTime } };
      }
      case 'triggerNow':
        await this.#nextSecond();
        return { triggerImmediately: { overlapPolicy: patch.overlap } };
      case 'backfill':
        return {
          backfillRequest: [
            {
              startTime: timestampOf(from),
              endTime: timestampOf(from + patch.hours * hourMs),
              overlapPolicy: patch.overlap,
            },
          ],
        };
    }
  }

  /** Two of one second have the same workflow id. */
  async #nextSecond(): Promise<void> {
    const wait = this.#lastNow + 1_500 - Date.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    this.#lastNow = Date.now();
  }

  async #finish(
    schedule: number,
    open: readonly number[],
    pick: number,
    answer: RunAnswer,
  ): Promise<void> {
    const place = open[pick % Math.max(1, open.length)];
    const run = place === undefined ? undefined : this.#runs[schedule]?.[place];
    if (!run) return;
    if (answer === 'terminate') {
      await this.#call('terminateWorkflowExecution', {
        namespace,
        workflowExecution: run,
        reason: 'too long',
        identity: 'client',
      });
      return;
    }
    const taskToken = await this.#tokenOf(schedule, run.runId, open);
    if (!taskToken) return;
    // The failure of a run that others do not wait for pauses nothing on the server.
    const how = answer === 'fail' && !this.#tracked.has(run.runId) ? 'complete' : answer;
    await this.#call('respondWorkflowTaskCompleted', {
      namespace,
      taskToken,
      identity: 'worker',
      commands: [closeCommands[how]],
    });
  }

  /** Takes the tasks of all open runs, in whatever order they come. */
  async #tokenOf(
    schedule: number,
    runId: string,
    open: readonly number[],
  ): Promise<Uint8Array | undefined> {
    const runs = open.flatMap((place) => this.#runs[schedule]?.[place]?.runId ?? []);
    while (runs.some((one) => !this.#tokens.has(one))) {
      const outcome = await call(
        this.#target,
        'pollWorkflowTaskQueue',
        { namespace, taskQueue: { name: this.#queue(schedule), kind: 1 }, identity: 'worker' },
        pollMs,
      );
      const token = outcome.ok && bytesOf(outcome.reply['taskToken']);
      if (!outcome.ok || !token) break;
      this.#tokens.set(text(record(outcome.reply['workflowExecution'])['runId']), token);
    }
    return this.#tokens.get(runId);
  }
}

/** Started whatever is open; the server drops it when something else waits for a run to be canceled. */
function isBeside(patch: SchedulePatch, { overlap }: ScheduleView): boolean {
  if (!('overlap' in patch)) return false;
  return patch.overlap === allowAll || (patch.overlap === 0 && overlap.endsWith('_ALLOW_ALL'));
}

function attributesOf(value: string) {
  return { searchAttributes: { indexedFields: { CustomKeywordField: payloadOf(value) } } };
}

function payloadOf(value: string) {
  return payloadsOf(value).payloads?.[0] ?? {};
}

const closeCommands = {
  complete: {
    commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
    completeWorkflowExecutionCommandAttributes: { result: payloadsOf('result') },
  },
  fail: {
    commandType: CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
    failWorkflowExecutionCommandAttributes: {
      failure: { message: 'declined', applicationFailureInfo: { type: 'Declined' } },
    },
  },
  cancel: {
    commandType: CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
    cancelWorkflowExecutionCommandAttributes: {},
  },
};
