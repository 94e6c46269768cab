/** Clients with few ids between them: each asks, waits a while, and asks again with the same request id. */
import proto from '@temporalio/proto';
import type { Client } from '@temporalio/client';
import { numberOf } from '../../src/core/time.ts';
import type { Clock } from '../../src/service/clock.ts';
import { EverstepError } from '../../src/service/error-codes.ts';
import { ServiceError } from '../../src/service/service-error.ts';
import { retryTask } from '../../src/tasks/retry-task.ts';
import { payloadsOf } from '../core-driver.ts';
import { BatchClients } from './batch-clients.ts';
import { Caller, patienceMs } from './caller.ts';
import type { ClientWorld } from './caller.ts';
import { rawQueue, rawIds, rawType } from './raw-commands.ts';
import { contextType } from './context-program.ts';
import { OperatorClients } from './operator-clients.ts';
import { ReadClients } from './read-clients.ts';
import { ScheduleClients } from './schedule-clients.ts';
import { startRequest } from './start-request.ts';
import { drawProgram, signalNames, taskTypes } from './task-programs.ts';
import { UpdateClients } from './update-clients.ts';

const enums = proto.temporal.api.enums.v1;
const namespace = 'default';

type Execution = { readonly workflowId: string; readonly runId: string };

/** What some worlds allow a run at most. */
export const fewSignals = 5;

export class Clients {
  readonly #world: ClientWorld;
  #finishing = false;
  readonly #caller: Caller;
  readonly #updates: UpdateClients;
  readonly #schedules: ScheduleClients;
  readonly #operators: OperatorClients;
  readonly #batches: BatchClients;
  readonly #readers: ReadClients;

  constructor(world: ClientWorld) {
    this.#world = world;
    this.#caller = new Caller(world);
    this.#updates = new UpdateClients(world, this.#caller);
    this.#schedules = new ScheduleClients(world, this.#caller);
    this.#operators = new OperatorClients(world, this.#caller);
    this.#batches = new BatchClients(world, this.#caller);
    this.#readers = new ReadClients(world, this.#caller);
  }

  /** One thing that a client does. */
  async act(): Promise<void> {
    const { archive, chance } = this.#world;
    const at = chance.next();
    const resting = archive.resting();
    if (resting.length > 0 && chance.next() < 0.1) await this.#overtakeUpdate(chance.pick(resting));
    else if (at < 0.2) await this.#startRaw();
    else if (at < 0.32) await this.#startTask();
    else if (at < 0.39) await this.#operators.act();
    else if (at < 0.405) await this.#batches.act();
    else if (at < 0.49) await this.#signal();
    else if (at < 0.51) await this.#signalAtOnce();
    else if (at < 0.56) await this.#signalWithStart();
    else if (at < 0.63) await this.#query();
    else if (at < 0.67) await this.#cancel();
    else if (at < 0.7) await this.#terminate();
    else if (at < 0.76) await this.#reset();
    else if (at < 0.78) await this.#delete();
    else if (at < 0.85) await this.#updates.act();
    else if (at < 0.88) await this.#schedules.act();
    else if (at < 0.89) await this.#retryTask();
    else await this.#read();
  }

  /** Ends what would go on for ever; whatever else waits for the outside hears of it. */
  async finish(): Promise<void> {
    if (this.#finishing) return;
    this.#finishing = true;
    await this.#endAll();
    this.#finishing = false;
  }

  async #endAll(): Promise<void> {
    await this.#schedules.finish();
    await this.#operators.finish();
    for (const record of this.#world.archive.runs.values()) {
      const { state, key } = record;
      if (record.deleted || !state || record.closedAt > 0) continue;
      if (state.schedule || state.batch) continue;
      const execution = { workflowId: key.workflowId, runId: key.runId };
      if (state.cronSchedule !== '') {
        await this.#endByForce(execution);
        continue;
      }
      for (const signalName of signalNames) {
        const told = await this.#caller.patiently((service) =>
          service.signalWorkflowExecution({
            namespace,
            workflowExecution: execution,
            signalName,
            input: payloadsOf(this.#world.ledger.token('end')),
          }),
        );
        // What it waits for may be the signal that is one too many.
        if (!told && (record.state?.signalCount ?? 0) >= fewSignals) {
          await this.#endByForce(execution);
          break;
        }
      }
    }
  }

  async #endByForce(workflowExecution: Execution): Promise<void> {
    await this.#caller.patiently((service) =>
      service.terminateWorkflowExecution({ namespace, workflowExecution, reason: 'the end' }),
    );
  }

  #target(): Execution {
    const { chance, archive } = this.#world;
    const troubled = archive.troubled();
    if (troubled.length > 0 && chance.next() < 0.25) {
      return { workflowId: chance.pick(troubled), runId: '' };
    }
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
    const request = {
      ...startRequest(workflowId, this.#world.chance),
      requestId: intent.token,
      identity: intent.token,
    };
    const reply = await this.#caller.patiently(
      (service) => service.startWorkflowExecution(request),
      intent,
      (answer) => (answer.started === true ? (answer.runId ?? '') : ''),
    );
    if (reply) coverage.hit(reply.started === true ? 'ID-3' : 'ID-2');
  }

  async #startTask(): Promise<void> {
    const { chance, ledger } = this.#world;
    const workflowId = `task-${chance.whole(0, 5)}`;
    const intent = ledger.intend('start', workflowId);
    const input = payloadsOf({ program: drawProgram(chance) });
    const inContext = chance.next() < 0.3;
    const workflowType = { name: inContext ? contextType : chance.pick(taskTypes) };
    await this.#caller.patiently(
      (service) =>
        service.startWorkflowExecution({
          namespace,
          workflowId,
          requestId: intent.token,
          identity: intent.token,
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

  /** What a task that ended without a result is given: another run, from its last workflow task on. */
  async #retryTask(): Promise<void> {
    const { archive, chance, coverage, timeline } = this.#world;
    const record = archive.recordsOf(`task-${chance.whole(0, 5)}`).at(-1);
    if (!record || record.closedAt === 0) return;
    const service = this.#world.someService();
    if (!service) return;
    const client = {
      workflowService: {
        ...service,
        // Over a connection a message has all its fields.
        getWorkflowExecutionHistory: async (request: object) => ({
          nextPageToken: new Uint8Array(),
          ...(await service.getWorkflowExecutionHistory(request)),
        }),
      },
      options: { namespace, identity: 'client' },
    } as unknown as Client;
    const clock = { now: () => 0, setTimer: () => ({ cancel: () => undefined }) };
    const retried = retryTask(
      { client, clock: clock as unknown as Clock, random: { next: () => 0, uuid: () => '' } },
      record.key.workflowId,
    ).then(
      () => coverage.hit('retry'),
      (error: unknown) => {
        // It ended well, goes on already, or the service says what became of the call.
        if (error instanceof EverstepError || error instanceof ServiceError) return;
        this.#world.violated({ invariant: 0, what: `a retry was answered with ${String(error)}` });
      },
    );
    await Promise.race([retried, timeline.wait(patienceMs)]);
  }

  async #signal(execution = this.#target()): Promise<void> {
    const { chance, ledger } = this.#world;
    const intent = ledger.intend('signal', execution.workflowId);
    const signalName = chance.pick(signalNames);
    await this.#caller.patiently(
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
    const request = startRequest(workflowId, this.#world.chance);
    const reply = await this.#caller.patiently(
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
    const outcome = await this.#caller.once((service) =>
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

  /** Something else comes while the workflow task of an update is nobody's, or one worker's (WT-37). */
  async #overtakeUpdate(workflowId: string): Promise<void> {
    const { chance, timeline } = this.#world;
    const execution = { workflowId, runId: '' };
    const updated = this.#updates.update(workflowId);
    await timeline.wait(chance.whole(1, 60));
    const at = chance.next();
    if (at < 0.7) await this.#signal(execution);
    else if (at < 0.85) await this.#cancel(execution);
    else await this.#terminate(execution);
    await updated;
  }

  async #cancel(execution = this.#target()): Promise<void> {
    const { ledger } = this.#world;
    const intent = ledger.intend('cancel', execution.workflowId);
    await this.#caller.patiently(
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

  async #terminate(execution = this.#target()): Promise<void> {
    const { ledger } = this.#world;
    const intent = ledger.intend('terminate', execution.workflowId);
    await this.#caller.patiently(
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
    const done = await this.#caller.patiently(
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
    const done = await this.#caller.patiently(
      (service) =>
        service.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId, runId } }),
      intent,
      () => runId,
    );
    if (done) coverage.hit('DL-1');
  }

  async #read(): Promise<void> {
    const at = this.#world.chance.next();
    if (at < 0.45) await this.#readers.act(this.#target());
    else if (at < 0.6) await this.#list();
    else await this.#refusedAttributes();
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
    const outcome = await this.#caller.once((service) =>
      service.listWorkflowExecutions({ namespace, pageSize: 3, query }),
    );
    if ('value' in outcome && query !== '') coverage.hit('VS-1');
    await this.#caller.once((service) => service.countWorkflowExecutions({ namespace, query }));
  }

  /** VS-2, VS-3: of the server's own, or too large. */
  async #refusedAttributes(): Promise<void> {
    const { chance, coverage, ledger } = this.#world;
    const own = chance.next() < 0.5;
    const [payload = {}] = payloadsOf(own ? 'Raw' : 'x'.repeat(3_000)).payloads ?? [];
    const metadata = { ...payload.metadata, type: Buffer.from('Keyword') };
    const field = own ? 'WorkflowType' : 'CustomKeywordField';
    const outcome = await this.#caller.once((service) =>
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
