/** The part of a script's workers that runs activities on one target. It keeps their tokens. */
import type { RpcName } from '../../../src/service/workflow-service.ts';
import { payloadsOf } from '../../core-driver.ts';
import type { Action } from './action.ts';
import type { Outcome } from './target.ts';
import { bytesOf, type WorkflowView } from './view.ts';
import { seconds, type Names } from './wire-command.ts';

type Call = (rpc: RpcName, request: object, deadlineMs?: number) => Promise<Outcome>;

const namespace = 'default';
/** A poll is only made when there is something to get; then it may take the server a moment. */
const pollMs = 15_000;

export class StepWorker {
  readonly #names: Names;
  readonly #call: Call;
  readonly #tokens = new Map<string, Uint8Array[]>();

  constructor(names: Names, call: Call) {
    this.#names = names;
    this.#call = call;
  }

  async poll(workflow: number, activity: number, view: WorkflowView): Promise<void> {
    if (!view.scheduledActivities.has(`activity-${activity}`)) return;
    const queue = this.#names.activityQueue(workflow, activity);
    const outcome = await this.#call(
      'pollActivityTaskQueue',
      { namespace, taskQueue: { name: queue, kind: 1 }, identity: 'worker' },
      pollMs,
    );
    const bytes = outcome.ok && bytesOf(outcome.reply['taskToken']);
    if (bytes) this.#tokens.set(queue, [...(this.#tokens.get(queue) ?? []), bytes]);
  }

  /** What operators do to activities. `first` and `second` are the options of each. */
  async control(action: Extract<Action, { do: 'controlActivity' }>): Promise<void> {
    const { workflow, activity, first, second } = action;
    const request = {
      namespace,
      execution: { workflowId: this.#names.workflowId(workflow) },
      identity: 'operator',
      ...(action.byType ? { type: 'charge' } : { id: `activity-${activity}` }),
    };
    switch (action.control) {
      case 'pause':
        await this.#call('pauseActivity', { ...request, reason: 'wait' });
        return;
      case 'unpause':
        await this.#call('unpauseActivity', {
          ...request,
          resetAttempts: first,
          resetHeartbeat: second,
        });
        return;
      case 'reset':
        await this.#call('resetActivity', {
          ...request,
          keepPaused: first,
          resetHeartbeat: second,
        });
        return;
      case 'updateOptions': {
        const paths = [
          ...(first ? ['start_to_close_timeout', 'heartbeat_timeout'] : []),
          ...(second ? ['retry_policy.maximum_attempts', 'schedule_to_close_timeout'] : []),
        ];
        await this.#call('updateActivityOptions', {
          ...request,
          updateMask: { paths },
          activityOptions: {
            startToCloseTimeout: seconds(700),
            scheduleToCloseTimeout: seconds(7_000),
            heartbeatTimeout: seconds(70),
            retryPolicy: { maximumAttempts: 7 },
          },
        });
        return;
      }
      case 'restoreOptions':
        await this.#call('updateActivityOptions', { ...request, restoreOriginal: true });
    }
  }

  async answer(action: Extract<Action, { do: 'answerActivity' }>): Promise<void> {
    const { workflow, activity, byId } = action;
    const tokens = this.#tokens.get(this.#names.activityQueue(workflow, activity)) ?? [];
    const taskToken = tokens.at(-1 - action.token);
    if (!byId && !taskToken) return;
    const which = byId
      ? { workflowId: this.#names.workflowId(workflow), activityId: `activity-${activity}` }
      : { taskToken };
    const request = { namespace, identity: 'worker', ...which };
    switch (action.answer) {
      case 'complete':
        await this.#call(
          byId ? 'respondActivityTaskCompletedById' : 'respondActivityTaskCompleted',
          { ...request, result: payloadsOf('activity result') },
        );
        return;
      case 'fail':
        await this.#call(byId ? 'respondActivityTaskFailedById' : 'respondActivityTaskFailed', {
          ...request,
          failure: failures[action.failure % failures.length],
        });
        return;
      case 'cancel':
        await this.#call(byId ? 'respondActivityTaskCanceledById' : 'respondActivityTaskCanceled', {
          ...request,
          details: payloadsOf('stopped'),
        });
        return;
      case 'heartbeat':
        await this.#call(byId ? 'recordActivityTaskHeartbeatById' : 'recordActivityTaskHeartbeat', {
          ...request,
          details: payloadsOf('half way'),
        });
    }
  }
}

const failures = [
  { message: 'declined', applicationFailureInfo: { type: 'Declined' } },
  { message: 'never', applicationFailureInfo: { type: 'Never', nonRetryable: true } },
  { message: 'listed', applicationFailureInfo: { type: 'Listed' } },
  { message: 'without its kind' },
  { message: 'later', applicationFailureInfo: { type: 'Later', nextRetryDelay: seconds(700) } },
];
