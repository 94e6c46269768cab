/** Clients with few ids between them: each asks, waits a while, and asks again with the same request id. */
import proto from '@temporalio/proto';
import { numberOf, durationOf } from '../../src/core/time.ts';
import { ServiceError } from '../../src/service/service-error.ts';
import type { WorkflowService } from '../../src/service/workflow-service.ts';
import type { Chance } from '../chance.ts';
import { payloadsOf } from '../core-driver.ts';
import type { Archive, Violation } from './archive.ts';
import type { Intent, Ledger } from './ledger.ts';
import { rawQueue, rawIds, rawType } from './raw-commands.ts';
import type { RuleCoverage } from './rule-coverage.ts';
import { drawProgram, signalNames, taskTypes } from './task-programs.ts';
import type { Timeline } from './timeline.ts';

const enums = proto.temporal.api.enums.v1;
const namespace = 'default';
const patienceMs = 6_000;

export interface ClientWorld {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly ledger: Ledger;
  readonly archive: Archive;
  readonly coverage: RuleCoverage;
  /** Of some process that lives; undefined when none does. */
  someService(): WorkflowService | undefined;
  violated(violation: Violation): void;
}

type Ask<R> = (service: WorkflowService) => Promise<R>;
type Execution = { readonly workflowId: string; readonly runId: string };

export class Clients {
  readonly #world: ClientWorld;

  constructor(world: ClientWorld) {
    this.#world = world;
  }

  /** One thing that a client does. */
  async act(): Promise<void> {
    const { chance } = this.#world;
    const at = chance.next();
    if (at < 0.25) await this.#startRaw();
    else if (at < 0.4) await this.#startTask();
    else if (at < 0.55) await this.#signal();
    else if (at < 0.57) await this.#signalAtOnce();
    else if (at < 0.64) await this.#signalWithStart();
    else if (at < 0.73) await this.#query();
    else if (at < 0.78) await this.#cancel();
    else if (at < 0.82) await this.#terminate();
    else if (at < 0.87) await this.#reset();
    else if (at < 0.89) await this.#delete();
    else await this.#read();
  }

  /** Ends what would go on for ever; whatever else waits for the outside hears of it. */
  async finish(): Promise<void> {
    for (const record of this.#world.archive.runs.values()) {
      const { state, key } = record;
      if (record.deleted || !state || record.closedAt > 0) continue;
      const execution = { workflowId: key.workflowId, runId: key.runId };
      if (state.cronSchedule !== '') {
        await this.#patiently((service) =>
          service.terminateWorkflowExecution({
            namespace,
            workflowExecution: execution,
            reason: 'the end',
          }),
        );
      } else {
        for (const signalName of signalNames) {
          await this.#patiently((service) =>
            service.signalWorkflowExecution({
              namespace,
              workflowExecution: execution,
              signalName,
              input: payloadsOf(this.#world.ledger.token('end')),
            }),
          );
        }
      }
    }
  }

  /** The answer, or what became of it: an error of the service, or nothing in time. */
  async #once<R>(
    ask: Ask<R>,
  ): Promise<{ readonly value: R } | { readonly error: ServiceError | undefined }> {
    const service = this.#world.someService();
    if (!service) return { error: undefined };
    const asked = ask(service).then(
      (value) => ({ value }),
      (error: unknown) => {
        if (error instanceof ServiceError) return { error };
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#world.violated({ invariant: 0, what: `a client was answered with ${text}` });
        return { error: undefined };
      },
    );
    let timer: { cancel(): void } | undefined;
    const patience = new Promise<{ readonly error: undefined }>((resolve) => {
      timer = this.#world.timeline.after(patienceMs, () => resolve({ error: undefined }));
    });
    const outcome = await Promise.race([asked, patience]);
    timer?.cancel();
    return outcome;
  }

  /** Asks again, of any process, while it is not known whether it was done. */
  async #patiently<R>(
    ask: Ask<R>,
    intent?: Intent,
    runIdOf?: (reply: R) => string | undefined,
  ): Promise<R | undefined> {
    const { chance, ledger, timeline } = this.#world;
    for (let tries = 0; tries < 4; tries += 1) {
      const outcome = await this.#once(ask);
      if ('value' in outcome) {
        if (intent) {
          const runId = runIdOf?.(outcome.value) ?? '';
          if (!runIdOf || runId !== '') ledger.acknowledge(intent, runId);
          // Answered, and asked once more: the same request has its effect once.
          if (chance.next() < 0.15) await this.#askAgain(ask, intent);
        }
        return outcome.value;
      }
      if (outcome.error && !outcome.error.retryable) {
        this.#world.coverage.answered(outcome.error);
        return undefined;
      }
      await timeline.wait(chance.whole(50, 1_500));
    }
    return undefined;
  }

  async #askAgain<R>(ask: Ask<R>, { kind }: Intent): Promise<void> {
    const again = await this.#once(ask);
    if ('value' in again && kind === 'start') this.#world.coverage.hit('ID-1');
  }

  #target(): Execution {
    const { chance, archive } = this.#world;
    const records = [...archive.runs.values()];
    if (records.length > 0 && chance.next() < 0.6) {
      // Those of late are the ones that are still open.
      const { key } = chance.pick(records.slice(-12));
      return { workflowId: key.workflowId, runId: chance.next() < 0.4 ? key.runId : '' };
    }
    return { workflowId: chance.next() < 0.9 ? rawIds(chance) : 'nobody', runId: '' };
  }

  async #startRaw(): Promise<void> {
    const { chance, ledger, coverage } = this.#world;
    const workflowId = rawIds(chance);
    const intent = ledger.intend('start', workflowId);
    const request = { ...this.#startRequest(workflowId), requestId: intent.token };
    const reply = await this.#patiently(
      (service) => service.startWorkflowExecution(request),
      intent,
      (answer) => (answer.started === true ? (answer.runId ?? '') : ''),
    );
    if (reply) coverage.hit(reply.started === true ? 'ID-3' : 'ID-2');
  }

  #startRequest(workflowId: string) {
    const { chance } = this.#world;
    const some = <T>(often: number, value: () => T): T | null =>
      chance.next() < often ? value() : null;
    const cron = chance.next() < 0.05;
    return {
      namespace,
      workflowId,
      identity: 'client',
      workflowType: { name: rawType },
      taskQueue: { name: rawQueue },
      input: payloadsOf(chance.whole(0, 2)),
      workflowIdReusePolicy: chance.pick([
        enums.WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
        enums.WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
        enums.WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
        enums.WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
      ]),
      workflowIdConflictPolicy: chance.pick([
        enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
        enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
        enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
      ]),
      workflowTaskTimeout: some(0.4, () => durationOf(chance.whole(500, 6_000))),
      workflowRunTimeout: some(0.2, () => durationOf(chance.whole(1_000, 20_000))),
      workflowExecutionTimeout: some(0.15, () => durationOf(chance.whole(2_000, 40_000))),
      workflowStartDelay: cron ? null : some(0.1, () => durationOf(chance.whole(100, 5_000))),
      cronSchedule: cron ? '@every 5s' : '',
      retryPolicy: some(0.25, () => ({
        initialInterval: durationOf(chance.whole(200, 2_000)),
        maximumAttempts: chance.whole(1, 3),
      })),
      memo: some(0.2, () => ({ fields: { who: payloadsOf('client').payloads?.[0] ?? {} } })),
    };
  }

  async #startTask(): Promise<void> {
    const { chance, ledger } = this.#world;
    const workflowId = `task-${chance.whole(0, 5)}`;
    const intent = ledger.intend('start', workflowId);
    const input = payloadsOf({ program: drawProgram(chance) });
    const workflowType = { name: chance.pick(taskTypes) };
    await this.#patiently(
      (service) =>
        service.startWorkflowExecution({
          namespace,
          workflowId,
          requestId: intent.token,
          workflowType,
          taskQueue: { name: 'async-tasks' },
          input,
        }),
      intent,
      (answer) => (answer.started === true ? (answer.runId ?? '') : ''),
    );
  }

  /** Many to one run, so that some come while a workflow task is started (WT-17), and a query among them (QY-4). */
  async #signalAtOnce(): Promise<void> {
    const { chance } = this.#world;
    const record = this.#world.archive.recordsOf(rawIds(chance)).at(-1);
    if (!record) return;
    const { workflowId } = record.key;
    const asked: Promise<void>[] = [];
    for (let count = chance.whole(3, 8); count > 0; count -= 1) {
      asked.push(this.#signal({ workflowId, runId: '' }));
      if (chance.next() < 0.3) asked.push(this.#query(workflowId));
      if (chance.next() < 0.7) await this.#world.timeline.wait(chance.whole(1, 200));
    }
    await Promise.all(asked);
  }

  async #signal(execution = this.#target()): Promise<void> {
    const { chance, ledger } = this.#world;
    const intent = ledger.intend('signal', execution.workflowId);
    const signalName = chance.pick(signalNames);
    await this.#patiently(
      (service) =>
        service.signalWorkflowExecution({
          namespace,
          workflowExecution: execution,
          signalName,
          requestId: intent.token,
          input: payloadsOf(intent.token),
        }),
      intent,
    );
  }

  async #signalWithStart(): Promise<void> {
    const { ledger, chance, coverage } = this.#world;
    const workflowId = rawIds(chance);
    const intent = ledger.intend('signal', workflowId);
    const request = this.#startRequest(workflowId);
    const reply = await this.#patiently(
      (service) =>
        service.signalWithStartWorkflowExecution({
          ...request,
          requestId: intent.token,
          signalName: 'go',
          signalInput: payloadsOf(intent.token),
        }),
      intent,
    );
    if (reply) coverage.hit('SG-3');
  }

  /** 20: what was acknowledged before is in the answer. */
  async #query(workflowId = rawIds(this.#world.chance)): Promise<void> {
    const { archive, ledger, coverage, chance } = this.#world;
    const record = archive.recordsOf(workflowId).at(-1);
    if (!record || record.deleted) return;
    const known = ledger.intents
      .filter(
        ({ kind, acknowledged, token }) => kind === 'signal' && acknowledged && record.has(token),
      )
      .map(({ token }) => token);
    const outcome = await this.#once((service) =>
      service.queryWorkflow({
        namespace,
        execution: record.key,
        query: { queryType: 'state' },
        ...(chance.next() < 0.25
          ? { queryRejectCondition: enums.QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_OPEN }
          : {}),
      }),
    );
    if ('error' in outcome) {
      if (outcome.error) coverage.answered(outcome.error);
      return;
    }
    if (outcome.value.queryRejected) coverage.hit('QY-1');
    const [payload] = outcome.value.queryResult?.payloads ?? [];
    if (!payload?.data) return;
    coverage.hit('QY-5');
    const seen = JSON.parse(Buffer.from(payload.data).toString()) as readonly string[];
    const missing = known.filter((token) => !seen.includes(token));
    if (missing.length > 0) {
      this.#world.violated({
        invariant: 20,
        what: `${record.name}: an answer lacks ${missing.join(', ')}`,
      });
    }
  }

  async #cancel(): Promise<void> {
    const { ledger } = this.#world;
    const execution = this.#target();
    const intent = ledger.intend('cancel', execution.workflowId);
    await this.#patiently(
      (service) =>
        service.requestCancelWorkflowExecution({
          namespace,
          workflowExecution: execution,
          requestId: intent.token,
          reason: intent.token,
        }),
      intent,
    );
  }

  async #terminate(): Promise<void> {
    const { ledger } = this.#world;
    const execution = this.#target();
    const intent = ledger.intend('terminate', execution.workflowId);
    await this.#patiently(
      (service) =>
        service.terminateWorkflowExecution({
          namespace,
          workflowExecution: execution,
          reason: intent.token,
        }),
      intent,
    );
  }

  async #reset(): Promise<void> {
    const { archive, chance, ledger, coverage } = this.#world;
    const record = archive.recordsOf(rawIds(chance)).at(-1 - chance.whole(0, 1));
    if (!record) return;
    const anywhere = chance.next() < 0.25;
    const points = record.events.filter(
      (event) =>
        anywhere ||
        event.workflowTaskCompletedEventAttributes ||
        event.workflowTaskStartedEventAttributes,
    );
    if (points.length === 0) return;
    const point = chance.pick(points);
    const closed = record.closedAt > 0;
    const intent = ledger.intend('start', record.key.workflowId);
    const done = await this.#patiently(
      (service) =>
        service.resetWorkflowExecution({
          namespace,
          workflowExecution: record.key,
          workflowTaskFinishEventId: numberOf(point.eventId) as never,
          requestId: intent.token,
          reason: 'again',
        }),
      intent,
      (answer) => answer.runId ?? '',
    );
    if (done) coverage.hit(closed ? 'RS-3' : 'RS-2');
  }

  async #delete(): Promise<void> {
    const { archive, coverage, ledger, chance } = this.#world;
    const record = archive.recordsOf(rawIds(chance)).at(-1);
    if (!record) return;
    const { workflowId, runId } = record.key;
    const intent = ledger.intend('delete', workflowId);
    const done = await this.#patiently(
      (service) =>
        service.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId, runId } }),
      intent,
      () => runId,
    );
    if (done) coverage.hit('DL-1');
  }

  async #read(): Promise<void> {
    const { chance } = this.#world;
    const execution = this.#target();
    const at = chance.next();
    if (at < 0.3) {
      await this.#once((service) => service.describeWorkflowExecution({ namespace, execution }));
    } else if (at < 0.6) {
      await this.#list();
    } else if (at < 0.7) {
      await this.#refusedAttributes();
    } else {
      await this.#once((service) =>
        service.getWorkflowExecutionHistory({
          namespace,
          execution,
          waitNewEvent: true,
          historyEventFilterType:
            enums.HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        }),
      );
    }
  }

  async #list(): Promise<void> {
    const { chance, coverage } = this.#world;
    const query = chance.pick([
      '',
      "ExecutionStatus = 'Running'",
      "WorkflowType = 'Raw' AND ExecutionStatus != 'Running'",
      "WorkflowId STARTS_WITH 'raw' AND NOT ExecutionStatus IN ('Completed', 'Failed')",
      "CustomKeywordField = 'v1' OR CloseTime IS NULL",
    ]);
    const outcome = await this.#once((service) =>
      service.listWorkflowExecutions({ namespace, pageSize: 3, query }),
    );
    if ('value' in outcome && query !== '') coverage.hit('VS-1');
    await this.#once((service) => service.countWorkflowExecutions({ namespace, query }));
  }

  /** VS-2, VS-3: of the server's own, or too large. */
  async #refusedAttributes(): Promise<void> {
    const { chance, coverage, ledger } = this.#world;
    const own = chance.next() < 0.5;
    const [payload = {}] = payloadsOf(own ? 'Raw' : 'x'.repeat(3_000)).payloads ?? [];
    const metadata = { ...payload.metadata, type: Buffer.from('Keyword') };
    const field = own ? 'WorkflowType' : 'CustomKeywordField';
    const outcome = await this.#once((service) =>
      service.startWorkflowExecution({
        namespace,
        workflowId: rawIds(chance),
        requestId: ledger.token('refused'),
        workflowType: { name: rawType },
        taskQueue: { name: rawQueue },
        searchAttributes: { indexedFields: { [field]: { ...payload, metadata } } },
      }),
    );
    if ('error' in outcome && outcome.error?.code === 'INVALID_ARGUMENT') {
      coverage.hit(own ? 'VS-2' : 'VS-3');
    }
  }
}
