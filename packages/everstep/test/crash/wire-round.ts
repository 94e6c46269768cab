/**
 * The official worker in one process and our server on a SQLite file in another, both killed with SIGKILL at any time
 * and started again, under a client that goes on. Everything that was acknowledged must come to its end, each decision
 * must stand in the histories once, no attempt of an activity may be handed out twice, and the official worker must be
 * able to replay what is there.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { Worker, bundleWorkflowCode, type ReplayHistoriesIterable } from '@temporalio/worker';
import { freePort } from '../free-port.ts';
import { Chance } from '../chance.ts';
import { compile, type Compiled } from './compiled.ts';
import { readHistory } from './history-rules.ts';
import { passed } from './pause.ts';
import { decisionsOf, wireQueue, type Journey, type JourneyEnd } from './wire-messages.ts';
import type { HistoryEvent } from '../../src/core/proto.ts';

export interface WireRequest {
  readonly seed: number;
  /** Kills go on for that long, and until there were so many. */
  readonly ms: number;
  readonly killsLeast: number;
  /** Journeys side by side. */
  readonly width: number;
}

export interface WireReport {
  readonly journeys: number;
  readonly runs: number;
  readonly events: number;
  readonly kills: { readonly server: number; readonly worker: number };
  /** Attempts of activities that were begun, and those of them that a kill or a planned failure ended. */
  readonly attempts: number;
  readonly seconds: number;
  readonly problems: readonly string[];
  readonly folder: string;
}

type Part = 'server' | 'worker';
type ReplayedHistory = ReplayHistoriesIterable extends AsyncIterable<infer T> | Iterable<infer T>
  ? T
  : never;

const drainMsMax = 180_000;
const nothing = new Promise<never>(() => undefined);
const pause = async (ms: number): Promise<unknown> => passed(nothing, ms);

export class WireRound {
  readonly #request: WireRequest;
  readonly #folder = mkdtempSync(join(tmpdir(), 'everstep-wire-'));
  readonly #ledger = join(this.#folder, 'attempts');
  readonly #chance: Chance;
  readonly #processes = new Map<Part, ChildProcess>();
  readonly #programs: Readonly<Record<Part, Compiled>>;
  readonly #kills = { server: 0, worker: 0 };
  readonly #problems: string[] = [];
  #port = 0;
  #codePath = '';
  #code = '';
  #over = false;

  constructor(request: WireRequest) {
    this.#request = request;
    this.#chance = new Chance(request.seed);
    this.#programs = {
      server: compile('wire-server'),
      worker: compile('wire-worker', { packages: 'external' }),
    };
  }

  async run(): Promise<WireReport> {
    const started = performance.now();
    try {
      const workflowsPath = fileURLToPath(new URL('./wire-workflows.ts', import.meta.url));
      const logger = {
        log: ignore,
        trace: ignore,
        debug: ignore,
        info: ignore,
        warn: ignore,
        error: ignore,
      };
      this.#code = (await bundleWorkflowCode({ workflowsPath, logger })).code;
      this.#codePath = join(this.#folder, 'workflows.cjs');
      writeFileSync(this.#codePath, this.#code);
      this.#port = await freePort();
      await this.#start('server');
      const client = await this.#connect();
      await this.#start('worker');
      const journeys = await this.#live(client);
      const seen = await this.#check(client, journeys);
      await client.connection.close();
      return {
        journeys: journeys.length,
        ...seen,
        kills: this.#kills,
        attempts: this.#checkAttempts(),
        seconds: (performance.now() - started) / 1_000,
        problems: this.#problems,
        folder: this.#folder,
      };
    } finally {
      this.#over = true;
      for (const part of ['worker', 'server'] as const) await this.#kill(part);
      for (const program of Object.values(this.#programs)) program.remove();
      if (this.#problems.length === 0) rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  async #connect(): Promise<Client> {
    const connection = await Connection.connect({
      address: `127.0.0.1:${this.#port}`,
      connectTimeout: '60s',
      // A server that is killed is back in a moment.
      channelArgs: {
        'grpc.initial_reconnect_backoff_ms': 50,
        'grpc.max_reconnect_backoff_ms': 500,
        'grpc.min_reconnect_backoff_ms': 50,
      },
    });
    return new Client({ connection });
  }

  /** Journeys one after the other in so many lanes, while others kill. */
  async #live(client: Client): Promise<readonly Journey[]> {
    const { ms, killsLeast, width } = this.#request;
    const started = performance.now();
    const goesOn = (): boolean =>
      performance.now() - started < ms || this.#kills.server + this.#kills.worker < killsLeast;
    const journeys: Journey[] = [];
    const lane = async (): Promise<void> => {
      while (goesOn()) {
        const journey = this.#journey(journeys.length);
        journeys.push(journey);
        await this.#travel(client, journey);
      }
    };
    const lanes = Promise.all(Array.from({ length: width }, lane));
    await this.#disturb(goesOn);
    if ((await passed(lanes, drainMsMax)) === 'late') {
      this.#problems.push('stuck: journeys have not ended after the last kill');
      this.#over = true;
      await lanes;
    }
    return journeys;
  }

  #journey(number: number): Journey {
    const ms = (): number => this.#chance.whole(5, 400);
    return {
      id: `journey-${number}`,
      ms: [ms(), ms(), ms()],
      signals: this.#chance.whole(1, 4),
      updates: this.#chance.whole(0, 2),
      laps: this.#chance.whole(1, 3),
    };
  }

  async #travel(client: Client, journey: Journey): Promise<void> {
    const { id, signals, updates } = journey;
    const handle = client.workflow.getHandle(id);
    await this.#insist(async () => {
      try {
        const args = [journey];
        await client.workflow.start('journey', {
          workflowId: id,
          taskQueue: wireQueue,
          workflowTaskTimeout: '5s',
          args,
        });
      } catch (error) {
        // The first try was acknowledged to nobody.
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    });
    const tell = async (): Promise<void> => {
      for (let number = 0; number < signals; number += 1) {
        await pause(this.#chance.whole(0, 300));
        await this.#insist(() => signal(client, id, number));
      }
    };
    const take = async (number: number): Promise<void> => {
      await pause(this.#chance.whole(0, 600));
      const doubled = await this.#insist(() =>
        handle.executeUpdate<number, [number]>('take', {
          updateId: `${id} ${number}`,
          args: [number],
        }),
      );
      if (!this.#over && doubled !== number * 2)
        this.#problems.push(`${id}: update ${number} gave ${doubled}`);
    };
    await Promise.all([tell(), ...Array.from({ length: updates }, (_, number) => take(number))]);
    await this.#insist(() => handle.result());
  }

  /** Until it succeeds: what the killed server did not answer is asked again. */
  async #insist<T>(call: () => Promise<T>): Promise<T | undefined> {
    while (!this.#over) {
      const answer = await Promise.race([
        call().then(
          (value) => ({ value }),
          (error: unknown) => ({ error }),
        ),
        this.#isOver(),
      ]);
      if (answer === undefined) break;
      if ('value' in answer) return answer.value;
      if (!isPassing(answer.error)) {
        this.#problems.push(`a call failed: ${String(answer.error)}`);
        return undefined;
      }
      await pause(50);
    }
    return undefined;
  }

  async #isOver(): Promise<undefined> {
    while (!this.#over) await pause(500);
  }

  async #disturb(goesOn: () => boolean): Promise<void> {
    while (goesOn()) {
      await this.#work();
      await pause(this.#chance.whole(0, 3_000));
      const victims = this.#chance.pick<readonly Part[]>([
        ['server'],
        ['worker'],
        ['server', 'worker'],
      ]);
      for (const part of victims) {
        await this.#kill(part);
        this.#kills[part] += 1;
      }
      await pause(this.#chance.whole(0, 500));
      for (const part of victims) await this.#start(part);
    }
  }

  /** Until the worker has begun something since the last start: what has done nothing is hardly worth a kill. */
  async #work(): Promise<void> {
    const size = (): number => statSync(this.#ledger, { throwIfNoEntry: false })?.size ?? 0;
    const before = size();
    for (let left = 200; left > 0 && size() === before; left -= 1) await pause(100);
  }

  async #start(part: Part): Promise<void> {
    const args =
      part === 'server'
        ? [join(this.#folder, 'wire.db'), String(this.#port)]
        : [`127.0.0.1:${this.#port}`, this.#codePath, this.#ledger];
    const child = spawn(process.execPath, [this.#programs[part].script, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#processes.set(part, child);
    let said = '';
    child.stderr.on('data', (text: Buffer) => {
      said += text.toString();
      // The worker speaks of the calls that the killed server did not answer.
      if (part === 'server') this.#problems.push(`the server said: ${text.toString().trim()}`);
    });
    child.once('exit', (code) => {
      if (code !== null)
        this.#problems.push(`the ${part} ended by itself with ${code}: ${said.slice(-500)}`);
    });
    const ready = new Promise((resolve) => child.stdout.once('data', resolve));
    const gone = new Promise((resolve) => child.once('exit', resolve));
    if ((await passed(Promise.race([ready, gone]), 180_000)) === 'late') {
      this.#problems.push(`the ${part} was not ready after 180 s`);
    }
  }

  async #kill(part: Part): Promise<void> {
    const child = this.#processes.get(part);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async #check(
    client: Client,
    journeys: readonly Journey[],
  ): Promise<{ runs: number; events: number }> {
    const seen = { runs: 0, events: 0 };
    const histories = this.#histories(client, journeys, seen);
    const bundle = { workflowBundle: { code: this.#code } };
    for await (const { workflowId, error } of Worker.runReplayHistories(bundle, histories)) {
      if (error) this.#problems.push(`${workflowId} does not replay: ${String(error)}`);
    }
    return seen;
  }

  /** All there are, checked and counted on the way. */
  async *#histories(
    client: Client,
    journeys: readonly Journey[],
    seen: { runs: number; events: number },
  ): AsyncGenerator<ReplayedHistory> {
    const { workflow } = client;
    for (const journey of journeys) {
      if (this.#over) break;
      const { id, laps } = journey;
      this.#checkEnd(journey, await workflow.getHandle<() => Promise<JourneyEnd>>(id).result());
      const found: string[] = [];
      for await (const { runId } of workflow.list({ query: `WorkflowId = '${id}-laps'` })) {
        found.push(runId);
      }
      if (found.length !== laps) this.#problems.push(`${id}: ${found.length} laps, not ${laps}`);
      const kept = [
        { handle: workflow.getHandle(id), decisions: decisionsOf.journey },
        ...found.map((runId) => ({
          handle: workflow.getHandle(`${id}-laps`, runId),
          decisions: decisionsOf.lap,
        })),
      ];
      for (const { handle, decisions } of kept) {
        const history = await handle.fetchHistory();
        const events = (history.events ?? []) as HistoryEvent[];
        seen.runs += 1;
        seen.events += events.length;
        this.#checkHistory(handle.workflowId, events, decisions);
        yield { workflowId: handle.workflowId, history };
      }
    }
  }

  #checkEnd({ id, signals, updates }: Journey, end: JourneyEnd): void {
    const tokens = [
      `${id} act`,
      `${id} slept`,
      `${id} thrice`,
      'round',
      `${id} local`,
      `${id} beat`,
    ];
    const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);
    const whole =
      same(end.tokens, tokens) &&
      same(end.signals, upTo(signals)) &&
      same(
        end.updates.toSorted((a, b) => a - b),
        upTo(updates),
      ) &&
      end.drawn;
    if (!whole) this.#problems.push(`${id} ended with ${JSON.stringify(end)}`);
  }

  #checkHistory(
    workflowId: string,
    events: readonly HistoryEvent[],
    decisions: (typeof decisionsOf)[keyof typeof decisionsOf],
  ): void {
    for (const problem of readHistory(events).problems) {
      this.#problems.push(`${workflowId}: ${problem}`);
    }
    const count = (has: (event: HistoryEvent) => unknown): number => events.filter(has).length;
    const found = {
      activities: count((event) => event.activityTaskScheduledEventAttributes),
      timers: count((event) => event.timerStartedEventAttributes),
      children: count((event) => event.startChildWorkflowExecutionInitiatedEventAttributes),
      markers: count((event) => event.markerRecordedEventAttributes),
    };
    if (!same(Object.values(found), Object.values(decisions))) {
      this.#problems.push(`${workflowId}: decisions ${JSON.stringify(found)}`);
    }
  }

  /** No attempt was handed out twice; how many were begun. */
  #checkAttempts(): number {
    const lines = existsSync(this.#ledger)
      ? readFileSync(this.#ledger, 'utf8').trim().split('\n')
      : [];
    const once = new Set<string>();
    for (const line of lines) {
      if (once.has(line)) this.#problems.push(`attempt handed out twice: ${line}`);
      once.add(line);
    }
    return lines.length;
  }
}

/** With a request id of its own, so that it is heard once however often it is sent. */
function signal(client: Client, workflowId: string, number: number): Promise<unknown> {
  const { payloadConverter } = client.options.loadedDataConverter;
  return client.workflowService.signalWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId },
    signalName: 'tell',
    input: { payloads: [payloadConverter.toPayload(number)] },
    requestId: `${workflowId} ${number}`,
  });
}

/** Errors of a call whose server was killed: no answer, or none in time. */
function isPassing(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (code === 14 || code === 4 || code === 1) return true;
  }
  return false;
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function ignore(): void {
  // The worker's log would drown the report.
}
