/** What can be seen of a script's workflows: every run's description and history, and what follows from them. */
import type { Outcome, Plain } from './target.ts';

export interface ObservedRun {
  readonly runId: string;
  readonly history: Outcome;
  readonly description: Outcome;
}
/** By workflow; the runs in the order in which they became known. */
export type Observation = readonly (readonly ObservedRun[])[];

export interface WorkflowView {
  readonly open: boolean;
  /** Of the pending workflow task: 'SCHEDULED', 'STARTED', or '' when there is none. */
  readonly task: string;
  readonly taskAttempt: number;
  /** The latest workflow task that is in the history was scheduled on a worker's own queue. */
  readonly onSticky: boolean;
  /** A worker has once completed a workflow task. */
  readonly everCompleted: boolean;
  /** Whether that activity waits for a worker. */
  readonly scheduledActivities: ReadonlySet<string>;
  readonly scheduledEventIds: readonly number[];
  /** Ids of updates that were accepted. */
  readonly knownUpdates: readonly string[];
  /** Those of them that have no outcome. */
  readonly openUpdates: readonly string[];
  readonly eventCount: number;
  /** Ids to which a reset is better left alone: see differences.md. */
  readonly unclearPoints: ReadonlySet<number>;
}

export const unseen: WorkflowView = {
  open: false,
  task: '',
  taskAttempt: 0,
  onSticky: false,
  everCompleted: false,
  scheduledActivities: new Set(),
  scheduledEventIds: [],
  knownUpdates: [],
  openUpdates: [],
  eventCount: 0,
  unclearPoints: new Set(),
};

/** Of the latest run of each workflow. */
export function viewOf(observation: Observation): WorkflowView[] {
  return observation.map((runs) => {
    const latest = runs.at(-1);
    if (!latest || !latest.description.ok || !latest.history.ok) return unseen;
    const description = latest.description.reply;
    const task = record(description['pendingWorkflowTask']);
    const activities = list(description['pendingActivities']);
    const events = list(record(latest.history.reply['history'])['events']);
    return {
      open: text(record(description['workflowExecutionInfo'])['status']).endsWith('_RUNNING'),
      task: text(task['state']).replace('PENDING_WORKFLOW_TASK_STATE_', ''),
      taskAttempt: Number(task['attempt'] ?? 0),
      everCompleted: events.some((event) => isType(event, 'WORKFLOW_TASK_COMPLETED')),
      scheduledActivities: new Set(
        activities
          .filter((activity) => text(activity['state']).endsWith('_SCHEDULED'))
          .filter((activity) => !('nextAttemptScheduleTime' in activity))
          .map((activity) => text(activity['activityId'])),
      ),
      scheduledEventIds: events
        .filter((event) => isType(event, 'ACTIVITY_TASK_SCHEDULED'))
        .map((event) => Number(event['eventId'])),
      onSticky: isSticky(events.findLast((event) => isType(event, 'WORKFLOW_TASK_SCHEDULED'))),
      ...updatesOf(events),
      eventCount: events.length,
      unclearPoints: unclearPointsOf(events),
    };
  });
}

function unclearPointsOf(events: readonly Plain[]): Set<number> {
  const points = new Set<number>();
  let failed = false;
  for (const event of events) {
    const id = Number(event['eventId']);
    // A later attempt is written with its completion, all three events at once.
    const attempt = Number(record(event['workflowTaskScheduledEventAttributes'])['attempt']);
    if (attempt > 1) points.add(id + 1).add(id + 2);
    // After a failed task the next attempt is pending, though nothing of it is written.
    if (failed) points.add(id);
    if (isType(event, 'WORKFLOW_TASK_SCHEDULED')) failed = false;
    if (isType(event, 'WORKFLOW_TASK_FAILED') || isType(event, 'WORKFLOW_TASK_TIMED_OUT')) {
      failed = true;
    }
  }
  return points;
}

function isSticky(scheduled: Plain | undefined): boolean {
  const { taskQueue } = record(scheduled?.['workflowTaskScheduledEventAttributes']);
  return text(record(taskQueue)['kind']).endsWith('_STICKY');
}

function updatesOf(events: readonly Plain[]): Pick<WorkflowView, 'knownUpdates' | 'openUpdates'> {
  const known = new Set<string>();
  const open = new Set<string>();
  for (const event of events) {
    const accepted = record(event['workflowExecutionUpdateAcceptedEventAttributes']);
    const completed = record(event['workflowExecutionUpdateCompletedEventAttributes']);
    const id = text(accepted['protocolInstanceId']);
    if (id !== '') {
      known.add(id);
      open.add(id);
    }
    open.delete(text(record(completed['meta'])['updateId']));
  }
  return { knownUpdates: [...known], openUpdates: [...open] };
}

function isType(event: Plain, type: string): boolean {
  return event['eventType'] === `EVENT_TYPE_${type}`;
}

export function record(value: unknown): Plain {
  return typeof value === 'object' && value !== null ? (value as Plain) : {};
}

export function list(value: unknown): readonly Plain[] {
  return Array.isArray(value) ? value.map(record) : [];
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The plain form of bytes is base64. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' && value !== '' ? Buffer.from(value, 'base64') : undefined;
}
