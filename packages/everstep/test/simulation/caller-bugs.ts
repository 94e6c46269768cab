/** Planted bugs above the engine: replies that come too soon, and a worker that is told the wrong thing. */
import type { HistoryEvent, UpdateOutcome } from '../../src/core/proto.ts';
import type { LocalWorker, LocalWorkerSupport } from '../../src/service/local-worker.ts';
import type { WorkflowService } from '../../src/service/workflow-service.ts';
import type { Chance } from '../chance.ts';
import type { PlantedBug } from './planted-bug.ts';

function serviceWith(service: WorkflowService, calls: Partial<WorkflowService>): WorkflowService {
  return { ...service, ...calls };
}

/** Nobody hears what becomes of it. */
function leave(call: Promise<unknown>): void {
  call.catch(() => undefined);
}

function workerWith(
  local: LocalWorkerSupport,
  change: (worker: LocalWorker) => Partial<LocalWorker>,
): LocalWorkerSupport {
  return {
    attachWorker: (worker) => {
      const changed = change(worker);
      return local.attachWorker(
        new Proxy(worker, {
          get: (target, name) => {
            if (name in changed) return Reflect.get(changed, name);
            const value: unknown = Reflect.get(target, name, target);
            return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
          },
        }),
      );
    },
  };
}

/** The closes of steps and timers, in the opposite order. */
function reversed(events: readonly HistoryEvent[]): HistoryEvent[] {
  const moves = (event: HistoryEvent): boolean =>
    Boolean(event.activityTaskCompletedEventAttributes ?? event.timerFiredEventAttributes);
  const turned = events.filter(moves).toReversed();
  return events.map((event) => (moves(event) ? (turned.shift() ?? event) : event));
}

/** Of each world. */
const lastOutcomes = new WeakMap<Chance, UpdateOutcome>();

export const callerBugs: readonly PlantedBug[] = [
  {
    name: 'reply-before-commit',
    what: 'a signal is acknowledged before it is written',
    service: (service) =>
      serviceWith(service, {
        signalWorkflowExecution: (request, call) => {
          leave(service.signalWorkflowExecution(request, call));
          return Promise.resolve({});
        },
      }),
  },
  {
    name: 'cancel-lost',
    what: 'a request to cancel is acknowledged and forgotten',
    service: (service) =>
      serviceWith(service, { requestCancelWorkflowExecution: () => Promise.resolve({}) }),
  },
  {
    name: 'start-dedupe-forgotten',
    what: 'a start that is asked again is another start',
    service: (service, chance) =>
      serviceWith(service, {
        startWorkflowExecution: (request, call) =>
          service.startWorkflowExecution(
            // A later try does not know what an earlier one made.
            { ...request, requestId: `${request.requestId}/${chance.whole(0, 1)}` },
            call,
          ),
      }),
  },
  {
    name: 'update-answer-of-another',
    what: 'who asks again for an update is given the answer of the one before',
    service: (service, chance) =>
      serviceWith(service, {
        pollWorkflowExecutionUpdate: async (request, call) => {
          const reply = await service.pollWorkflowExecutionUpdate(request, call);
          if (!reply.outcome?.success) return reply;
          const outcome = lastOutcomes.get(chance) ?? reply.outcome;
          lastOutcomes.set(chance, reply.outcome);
          return { ...reply, outcome };
        },
      }),
  },
  {
    name: 'race-out-of-order',
    what: 'a run that is driven again from its history is told of its answers in another order',
    local: (local) =>
      workerWith(local, (worker) => ({
        driveWorkflowTask: (task) => {
          const events = task.history?.events ?? [];
          return Number(events[0]?.eventId ?? 0) === 1
            ? worker.driveWorkflowTask({ ...task, history: { events: reversed(events) } })
            : worker.driveWorkflowTask(task);
        },
      })),
  },
  {
    name: 'evict-forgotten',
    what: 'a worker is not told that the commit of what it drove was lost',
    local: (local) => workerWith(local, () => ({ evict: () => undefined })),
  },
];
