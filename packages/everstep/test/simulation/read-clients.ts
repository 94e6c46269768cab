/** Clients that read: every list, count and description, and the namespaces and workers that others speak of. */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { durationOf, timestampOf } from '../../src/core/time.ts';
import { attributeTypes } from '../../src/engine/search-attributes.ts';
import type { WorkflowService } from '../../src/service/workflow-service.ts';
import type { Caller, ClientWorld } from './caller.ts';
import { worldStart } from './process-clock.ts';
import { rawQueue } from './raw-commands.ts';

const { TaskQueueType, HistoryEventFilterType } = proto.temporal.api.enums.v1;
const namespace = 'default';

type Page = temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryReverseResponse;
type Ask = (service: WorkflowService) => Promise<object>;

export class ReadClients {
  readonly #world: ClientWorld;
  readonly #caller: Caller;

  constructor(world: ClientWorld, caller: Caller) {
    this.#world = world;
    this.#caller = caller;
  }

  async act(execution: { readonly workflowId: string; readonly runId: string }): Promise<void> {
    const { chance } = this.#world;
    const at = chance.next();
    if (at < 0.25) {
      await this.#ask((service) => service.describeWorkflowExecution({ namespace, execution }));
    } else if (at < 0.45) {
      await this.#ask((service) =>
        service.getWorkflowExecutionHistory({
          namespace,
          execution,
          waitNewEvent: true,
          historyEventFilterType: HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        }),
      );
    } else if (at < 0.55) {
      await this.#backwards(execution);
    } else if (at < 0.62) {
      await this.#ask((service) => service.resetStickyTaskQueue({ namespace, execution }));
    } else if (at < 0.72) {
      await this.#namespaces();
    } else if (at < 0.82) {
      await this.#workers();
    } else {
      await this.#ask(chance.pick(this.#others()));
    }
  }

  async #ask<R>(ask: (service: WorkflowService) => Promise<R>): Promise<R | undefined> {
    const outcome = await this.#caller.once(ask);
    return 'value' in outcome ? outcome.value : undefined;
  }

  /** Page by page it is the history, the other way round. */
  async #backwards(execution: { readonly workflowId: string; readonly runId: string }) {
    const ids: number[] = [];
    let nextPageToken: Uint8Array | null = null;
    do {
      const token: Uint8Array | null = nextPageToken;
      const page: Page | undefined = await this.#ask((service) =>
        service.getWorkflowExecutionHistoryReverse({
          namespace,
          execution,
          maximumPageSize: 5,
          nextPageToken: token,
        }),
      );
      if (!page) return;
      for (const { eventId } of page.history?.events ?? []) ids.push(Number(eventId));
      nextPageToken = page.nextPageToken ?? null;
    } while (nextPageToken !== null && nextPageToken.length > 0);
    const gap = ids.findIndex((id, index) => id !== (ids[0] ?? 0) - index);
    if (gap >= 0 || ids.at(-1) !== 1) {
      this.#world.violated({
        invariant: 1,
        what: `${execution.workflowId}: read backwards, its events are ${ids.join(' ')}`,
      });
    }
  }

  async #namespaces(): Promise<void> {
    const { chance } = this.#world;
    const name = `spare-${chance.whole(0, 1)}`;
    await this.#ask((service) =>
      service.registerNamespace({
        namespace: name,
        description: 'spare',
        workflowExecutionRetentionPeriod: durationOf(86_400_000),
      }),
    );
    await this.#ask((service) =>
      service.updateNamespace({ namespace: name, updateInfo: { ownerEmail: 'a@b.c' } }),
    );
    await this.#ask((service) => service.describeNamespace({ namespace: name }));
    await this.#ask((service) => service.listNamespaces({ pageSize: 2 }));
    const operator = this.#world.someOperator();
    if (!operator) return;
    const field = 'SpareKeyword';
    await this.#ask(() =>
      operator.addSearchAttributes({
        namespace: name,
        searchAttributes: { [field]: attributeTypes.Keyword },
      }),
    );
    await this.#ask(() => operator.listSearchAttributes({ namespace: name }));
    if (chance.next() < 0.5) {
      await this.#ask(() =>
        operator.removeSearchAttributes({ namespace: name, searchAttributes: [field] }),
      );
    }
    if (chance.next() < 0.3) await this.#ask(() => operator.deleteNamespace({ namespace: name }));
  }

  async #workers(): Promise<void> {
    const { chance } = this.#world;
    const workerInstanceKey = `worker-${chance.whole(0, 2)}`;
    await this.#ask((service) =>
      service.recordWorkerHeartbeat({
        namespace,
        workerHeartbeat: [{ workerInstanceKey, workerIdentity: 'client', taskQueue: rawQueue }],
      }),
    );
    await this.#ask((service) => service.describeWorker({ namespace, workerInstanceKey }));
    await this.#ask((service) => service.listWorkers({ namespace, pageSize: 2 }));
    await this.#ask((service) => service.countWorkers({ namespace }));
    if (chance.next() < 0.5) {
      await this.#ask((service) => service.shutdownWorker({ namespace, workerInstanceKey }));
    }
  }

  #others(): readonly Ask[] {
    const { timeline, chance } = this.#world;
    const now = worldStart + timeline.elapsed;
    const scheduleId = `schedule-${chance.whole(0, 1)}`;
    return [
      (service) => service.getSystemInfo({}),
      (service) => service.getClusterInfo({}),
      (service) => service.getSearchAttributes({}),
      (service) => service.listSchedules({ namespace, maximumPageSize: 1 }),
      (service) => service.countSchedules({ namespace }),
      (service) =>
        service.listScheduleMatchingTimes({
          namespace,
          scheduleId,
          startTime: timestampOf(now),
          endTime: timestampOf(now + 30_000),
        }),
      (service) =>
        service.describeTaskQueue({
          namespace,
          taskQueue: { name: rawQueue },
          taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        }),
    ];
  }
}
