/**
 * Makes the history of a run by hand, event by event, as a service would write it for the commands it was given. It
 * checks nothing and keeps no state but the history: what a service makes of commands is tested with the engine.
 */
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import Long from 'long';
import type { UpdateAnswer } from '../../src/tasks/update-messages.ts';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Command = temporal.api.command.v1.ICommand;

const { EventType, CommandType, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;

export function payloadOf(value: unknown): Payload {
  return defaultPayloadConverter.toPayload(value);
}

export class HistoryMaker {
  readonly events: HistoryEvent[] = [];
  /** Scheduled or started event ids by activity or timer id. */
  readonly #open = new Map<string, number>();
  #taskStartedId = 0;

  constructor(params: unknown, taskQueue = 'queue') {
    this.add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, {
      workflowExecutionStartedEventAttributes: {
        input: { payloads: [payloadOf(params)] },
        taskQueue: { name: taskQueue },
        firstExecutionRunId: 'first-run',
        originalExecutionRunId: 'original-run',
      },
    });
  }

  get lastId(): number {
    return this.events.length;
  }

  add(eventType: number, attributes: Partial<HistoryEvent> = {}): number {
    const eventId = this.events.length + 1;
    this.events.push({
      eventId: Long.fromNumber(eventId),
      eventTime: { seconds: Long.fromNumber(1_700_000_000 + eventId), nanos: 0 },
      eventType,
      ...attributes,
    });
    return eventId;
  }

  /** Schedules and starts a workflow task; returns its started event id. */
  startWorkflowTask(): number {
    this.add(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
    this.#taskStartedId = this.add(EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED);
    return this.#taskStartedId;
  }

  completeWorkflowTask(commands: readonly Command[]): void {
    this.add(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, {
      workflowTaskCompletedEventAttributes: {
        startedEventId: Long.fromNumber(this.#taskStartedId),
      },
    });
    for (const command of commands) this.#command(command);
  }

  failWorkflowTask(reset = false): void {
    this.add(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, {
      workflowTaskFailedEventAttributes: {
        cause: reset
          ? WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
          : WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
      },
    });
  }

  #command(command: Command): void {
    const schedule = command.scheduleActivityTaskCommandAttributes;
    const timer = command.startTimerCommandAttributes;
    switch (command.commandType) {
      case CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK:
        this.#open.set(
          schedule?.activityId ?? '',
          this.add(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, {
            activityTaskScheduledEventAttributes: {
              activityId: schedule?.activityId ?? null,
              activityType: schedule?.activityType ?? null,
            },
          }),
        );
        break;
      case CommandType.COMMAND_TYPE_START_TIMER:
        this.#open.set(
          timer?.timerId ?? '',
          this.add(EventType.EVENT_TYPE_TIMER_STARTED, {
            timerStartedEventAttributes: { timerId: timer?.timerId ?? null },
          }),
        );
        break;
      case CommandType.COMMAND_TYPE_CANCEL_TIMER: {
        const timerId = command.cancelTimerCommandAttributes?.timerId ?? '';
        this.add(EventType.EVENT_TYPE_TIMER_CANCELED, {
          timerCanceledEventAttributes: { timerId, startedEventId: this.#openId(timerId) },
        });
        break;
      }
      case CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK:
        this.add(EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, {
          activityTaskCancelRequestedEventAttributes: {
            scheduledEventId:
              command.requestCancelActivityTaskCommandAttributes?.scheduledEventId ?? null,
          },
        });
        break;
      case CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION: {
        const { workflowId, workflowType, control } =
          command.startChildWorkflowExecutionCommandAttributes ?? {};
        this.#initiated(
          workflowId ?? '',
          this.add(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, {
            startChildWorkflowExecutionInitiatedEventAttributes: {
              workflowId: workflowId ?? null,
              workflowType: workflowType ?? null,
              control: control ?? null,
            },
          }),
        );
        break;
      }
      case CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: {
        const { execution, signalName, control } =
          command.signalExternalWorkflowExecutionCommandAttributes ?? {};
        this.#initiated(
          `signal ${signalName ?? ''}`,
          this.add(EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, {
            signalExternalWorkflowExecutionInitiatedEventAttributes: {
              workflowExecution: execution ?? null,
              signalName: signalName ?? null,
              control: control ?? null,
            },
          }),
        );
        break;
      }
      case CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION: {
        const { workflowId, runId, control } =
          command.requestCancelExternalWorkflowExecutionCommandAttributes ?? {};
        this.add(EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, {
          requestCancelExternalWorkflowExecutionInitiatedEventAttributes: {
            workflowExecution: { workflowId: workflowId ?? null, runId: runId ?? null },
            control: control ?? null,
          },
        });
        break;
      }
      case CommandType.COMMAND_TYPE_RECORD_MARKER: {
        const { markerName, details } = command.recordMarkerCommandAttributes ?? {};
        this.add(EventType.EVENT_TYPE_MARKER_RECORDED, {
          markerRecordedEventAttributes: {
            markerName: markerName ?? null,
            details: details ?? null,
          },
        });
        break;
      }
      case CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
        this.add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
        break;
      case CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
        this.add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED);
        break;
      case CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
        this.add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED);
        break;
      default:
    }
  }

  #initiated(id: string, eventId: number): void {
    this.#open.set(id, eventId);
  }

  #openId(id: string): Long {
    return Long.fromNumber(this.#open.get(id) ?? 0);
  }

  stepCompleted(key: string, value: unknown): void {
    this.stepCompletedRaw(key, payloadOf(value));
  }

  stepCompletedRaw(key: string, payload: Payload): void {
    const scheduledEventId = this.#openId(key);
    const started = this.add(EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED, {
      activityTaskStartedEventAttributes: { scheduledEventId, attempt: 1 },
    });
    this.add(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, {
      activityTaskCompletedEventAttributes: {
        scheduledEventId,
        startedEventId: Long.fromNumber(started),
        result: { payloads: [payload] },
      },
    });
  }

  stepFailed(key: string, message: string, type = 'Error'): void {
    this.add(EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED, {
      activityTaskFailedEventAttributes: {
        scheduledEventId: this.#openId(key),
        failure: { message, source: 'TypeScriptSDK', applicationFailureInfo: { type } },
      },
    });
  }

  stepCanceled(key: string): void {
    this.add(EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED, {
      activityTaskCanceledEventAttributes: { scheduledEventId: this.#openId(key) },
    });
  }

  timerFired(timerId: string): void {
    this.add(EventType.EVENT_TYPE_TIMER_FIRED, {
      timerFiredEventAttributes: { timerId, startedEventId: this.#openId(timerId) },
    });
  }

  signal(signalName: string, value: unknown): void {
    this.add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, {
      workflowExecutionSignaledEventAttributes: {
        signalName,
        input: { payloads: [payloadOf(value)] },
      },
    });
  }

  requestCancel(): void {
    this.add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
  }

  /** A rejection leaves no event. */
  updateAnswered({ kind, asked }: UpdateAnswer): void {
    if (kind === 'acceptance') {
      this.add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, {
        workflowExecutionUpdateAcceptedEventAttributes: {
          protocolInstanceId: asked.updateId,
          acceptedRequestMessageId: asked.messageId,
          acceptedRequestSequencingEventId: Long.fromNumber(asked.sequencingEventId),
          acceptedRequest: asked.request,
        },
      });
    }
    if (kind === 'response') {
      this.add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED, {
        workflowExecutionUpdateCompletedEventAttributes: { meta: { updateId: asked.updateId } },
      });
    }
  }

  childStarted(workflowId: string): void {
    this.add(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, {
      childWorkflowExecutionStartedEventAttributes: {
        initiatedEventId: this.#openId(workflowId),
        workflowExecution: { workflowId, runId: `run of ${workflowId}` },
      },
    });
  }

  childNotStarted(workflowId: string): void {
    this.add(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED, {
      startChildWorkflowExecutionFailedEventAttributes: {
        initiatedEventId: this.#openId(workflowId),
        workflowId,
      },
    });
  }

  childCompleted(workflowId: string, value: unknown): void {
    this.add(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED, {
      childWorkflowExecutionCompletedEventAttributes: {
        initiatedEventId: this.#openId(workflowId),
        workflowExecution: { workflowId, runId: `run of ${workflowId}` },
        workflowType: { name: 'child' },
        result: { payloads: [payloadOf(value)] },
      },
    });
  }

  childFailed(workflowId: string, message: string): void {
    this.add(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED, {
      childWorkflowExecutionFailedEventAttributes: {
        initiatedEventId: this.#openId(workflowId),
        workflowExecution: { workflowId, runId: `run of ${workflowId}` },
        workflowType: { name: 'child' },
        failure: { message, applicationFailureInfo: { type: 'Error' } },
      },
    });
  }

  childCanceled(workflowId: string): void {
    this.add(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED, {
      childWorkflowExecutionCanceledEventAttributes: {
        initiatedEventId: this.#openId(workflowId),
        workflowExecution: { workflowId, runId: `run of ${workflowId}` },
        workflowType: { name: 'child' },
      },
    });
  }

  signalArrived(signalName: string): void {
    this.add(EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED, {
      externalWorkflowExecutionSignaledEventAttributes: {
        initiatedEventId: this.#openId(`signal ${signalName}`),
      },
    });
  }

  signalLost(signalName: string, workflowId: string): void {
    this.add(EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, {
      signalExternalWorkflowExecutionFailedEventAttributes: {
        initiatedEventId: this.#openId(`signal ${signalName}`),
        workflowExecution: { workflowId },
      },
    });
  }
}
