/**
 * Runs the code of a task or workflow over a recorded history, without an engine and without running any step: would
 * a run that has come so far go on with this code? What differs is said with its event and source line.
 */
import { defaultDataConverter, type LoadedDataConverter } from '@temporalio/common';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import proto from '@temporalio/proto';
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import { AsyncTask } from '../tasks/async-task.ts';
import { numberOf } from '../tasks/int64.ts';
import type { Entry, HistoryEvent } from '../tasks/journal.ts';
import type { LiveRun } from '../tasks/live-run.ts';
import { lastDrivenEventId } from '../tasks/run-history.ts';
import { WorkerDefinitions } from '../tasks/worker-definitions.ts';
import { Workflow, type AnyWorkflow } from '../tasks/workflow.ts';
import type { AnyAsyncTask } from '../component/async-task-component.ts';
import type { History } from './test-environment.ts';

const { EventType } = proto.temporal.api.enums.v1;

/** A difference that a run in flight survives: keys may come, go and move. */
export interface ReplayDifference {
  /** `step "resize"`, `sleep "sleep#1"`. */
  readonly what: string;
  /** `unused`: the history holds it and the code no longer asks for it. `new`: the other way round. */
  readonly kind: 'unused' | 'new';
  /** Of the event that began it; 0 when it is new. */
  readonly eventId: number;
  readonly message: string;
}

export interface ReplayReport {
  /** How many events the code has seen. */
  readonly events: number;
  readonly differences: readonly ReplayDifference[];
}

export interface ReplayOptions {
  /** By which payloads are read; that of the component by default has none. */
  readonly dataConverter?: LoadedDataConverter;
}

/** Code that waits for anything but its context for longer is stalled, as in a worker. */
const stalledMs = 1_000;

const closings: ReadonlyMap<number, 'completed' | 'failed' | 'cancelled' | 'continuedAsNew'> =
  new Map([
    [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, 'completed'],
    [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, 'failed'],
    [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, 'cancelled'],
    [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, 'continuedAsNew'],
  ]);

/**
 * Resolves when the code fits the history.
 *
 * @param history As `TestEnvironment.history` and the client's `fetchHistory` give it, or as JSON of Temporal's tools
 * (`temporal workflow show --output json`), parsed or as text.
 * @throws EverstepError REPLAY_INCOMPATIBLE, saying what does not fit, at which event and source line;
 * REPLAY_HISTORY_INVALID when that is no history, or one of another workflow type.
 */
export async function replay(
  item: AnyAsyncTask | AnyWorkflow,
  history: History | object | string,
  options: ReplayOptions = {},
): Promise<ReplayReport> {
  if (!(item instanceof AsyncTask) && !(item instanceof Workflow)) {
    throw new EverstepError(
      'REPLAY_HISTORY_INVALID',
      `replay(): the first argument is ${String(item)}; expected a task, or what workflow() returned.`,
    );
  }
  const events = eventsOf(history);
  checkType(events, item);
  const run = newRun(item, events, options.dataConverter ?? defaultDataConverter);
  const until = lastDrivenEventId(events);
  await driven(run, events, until);
  if (run.broken) throw incompatible(run.broken.message, run.broken);
  checkEnd(run, events, until);
  return { events: until, differences: differencesOf(run) };
}

function newRun(
  item: AnyAsyncTask | AnyWorkflow,
  events: readonly HistoryEvent[],
  converter: LoadedDataConverter,
): LiveRun {
  const started = events[0]?.workflowExecutionStartedEventAttributes;
  const execution = {
    workflowId: started?.workflowId || 'replayed',
    runId: started?.originalExecutionRunId || 'replayed',
  };
  // A copy: what a replay finds out about the kind of a task is not for those who run it.
  const { definition } = item.copy();
  const options = { namespace: 'default', dataConverter: converter, logger: silent };
  return new WorkerDefinitions([definition], 'replayed', options).newRun(
    execution,
    item.workflowType,
  );
}

async function driven(run: LiveRun, events: readonly HistoryEvent[], until: number): Promise<void> {
  const driving = run.drive(events, until);
  if (driving === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      run.breakDownStalled(stalledMs);
      resolve();
    }, stalledMs);
  });
  await Promise.race([driving, stalled]);
  clearTimeout(timer);
}

/** A history that has ended must end with this code, too, and in the same way. */
function checkEnd(run: LiveRun, events: readonly HistoryEvent[], until: number): void {
  const last = events.at(-1);
  const recorded = closings.get(last?.eventType ?? 0);
  const now = run.result?.kind;
  if (recorded === undefined || recorded === now) return;
  const at = run.waitsAt === undefined ? '' : `, at ${run.waitsAt}`;
  const does = now === undefined ? `still waits after event ${until}${at}` : `ends as ${now}`;
  throw incompatible(
    `the history ends as ${recorded} with event ${numberOf(last?.eventId)}, and the code ${does}`,
  );
}

function differencesOf(run: LiveRun): ReplayDifference[] {
  const { steps, timers } = run.journal;
  const differences: ReplayDifference[] = [];
  for (const entry of [...steps.values(), ...timers.values()]) {
    const difference = differenceOf(entry, run);
    if (difference) differences.push(difference);
  }
  return differences.sort((a, b) => (a.eventId || Infinity) - (b.eventId || Infinity));
}

function differenceOf(entry: Entry, run: LiveRun): ReplayDifference | undefined {
  const what = `${entry.kind} "${entry.id}"`;
  const { scheduledEventId: eventId } = entry;
  if (!entry.asked) {
    const message = `${what} of event ${eventId} is not asked for any more`;
    return { what, kind: 'unused', eventId, message };
  }
  if (eventId > 0) return undefined;
  const at = run.waitsAt === undefined ? '' : `, at ${run.waitsAt}`;
  return { what, kind: 'new', eventId, message: `${what} is not in the history${at}` };
}

function eventsOf(given: History | object | string): readonly HistoryEvent[] {
  let history = given;
  try {
    if (typeof history === 'string') history = JSON.parse(history) as object;
    if (isJson(history)) history = historyFromJSON(history);
  } catch (cause) {
    throw invalidHistory(cause instanceof Error ? cause.message : String(cause), cause);
  }
  const events = (history as Partial<History> | null)?.events;
  if (!Array.isArray(events) || events.length === 0) throw invalidHistory('it holds no events');
  const [first] = events;
  if (numberOf(first?.eventId) !== 1 || !first?.workflowExecutionStartedEventAttributes) {
    throw invalidHistory('it does not begin with event 1, the start of the workflow');
  }
  return events;
}

/** As protobuf's JSON has it: enums by name. */
function isJson(history: object): boolean {
  const [first] =
    (history as { readonly events?: readonly { eventType?: unknown }[] }).events ?? [];
  return typeof first?.eventType === 'string';
}

function checkType(events: readonly HistoryEvent[], item: AnyAsyncTask | AnyWorkflow): void {
  const recorded = events[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? '';
  if (recorded === item.workflowType) return;
  throw invalidHistory(
    `it is of workflow type "${recorded}", and "${item.getName()}" is of "${item.workflowType}"`,
  );
}

function incompatible(problem: string, cause?: Error): EverstepError {
  return new EverstepError(
    'REPLAY_INCOMPATIBLE',
    `The code does not fit the history: ${problem.replace(/\.$/, '')}.`,
    { cause },
  );
}

function invalidHistory(problem: string, cause?: unknown): EverstepError {
  return new EverstepError(
    'REPLAY_HISTORY_INVALID',
    `replay(): the history cannot be used: ${problem}.`,
    {
      cause,
    },
  );
}

function ignore(): void {
  // A replay says what it has to say in its report.
}

const silent: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
