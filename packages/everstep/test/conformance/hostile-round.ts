/**
 * A server in a process of its own on a SQLite file, and callers who wish it ill: every call of every service with
 * every kind of request and of stream, and thousands of polls that find nothing. Every call but a poll must have a
 * status within 15 s that is no fault of the server's, no message may show a stack or a path, and the process must live
 * on and not grow.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Metadata, credentials, status as grpcStatus } from '@grpc/grpc-js';
import proto from '@temporalio/proto';
import Long from 'long';
import { freePort } from '../free-port.ts';
import { Chance } from '../chance.ts';
import { compile } from '../crash/compiled.ts';
import type { Known } from '../request-maker.ts';
import {
  HostileRequests,
  hostileMethods,
  largeKinds,
  mayWait,
  smallKinds,
  type HostileMethod,
} from './hostile-requests.ts';
import { HostileStreams, streamKinds } from './hostile-streams.ts';

export interface HostileReport {
  readonly calls: number;
  readonly streams: number;
  readonly polls: number;
  /** Answers by status, such as `INVALID_ARGUMENT`. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  /** Calls that took more than 15 s. */
  readonly late: number;
  readonly pollsAnsweredMs: number;
  readonly rssMb: { readonly before: number; readonly after: number };
  readonly problems: readonly string[];
}

const { workflowservice } = proto.temporal.api;
const v1 = workflowservice.v1;
const answerMsMax = 15_000;
/** So long a machine that is busy with other things may take; what took longer than the above is counted. */
const patienceMs = 60_000;
const sideBySide = 10;
/** What a stack or a path looks like. */
const inside = /\n\s+at |node:internal|node_modules|\.[cm]?[jt]s\b|\/(?:tmp|home|root|usr|work)\//;

export async function hostileRound(request: {
  readonly seed: number;
  readonly calls: number;
  readonly polls: number;
}): Promise<HostileReport> {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-hostile-'));
  const program = compile('wire-server');
  const port = await freePort();
  const server = spawn(process.execPath, [program.script, join(folder, 'a.db'), String(port)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // The transport's own log speaks of callers; the command sends it elsewhere.
    env: { ...process.env, GRPC_VERBOSITY: 'NONE' },
  });
  const problems: string[] = [];
  server.stderr.on('data', (text: Buffer) => problems.push(`the server said: ${text.toString()}`));
  let stopping = false;
  server.once('exit', (code, signal) => {
    if (!stopping) problems.push(`the server ended with ${code ?? signal}`);
  });
  try {
    await new Promise((resolve) => server.stdout.once('data', resolve));
    const round = new HostileRound(`127.0.0.1:${port}`, request.seed, problems);
    const known = await round.known();
    // What every process needs once is no growth.
    await round.run(Math.ceil(request.calls / 10), known);
    const before = rssMb(server.pid);
    await round.run(request.calls, known);
    const pollsAnsweredMs = await round.poll(request.polls);
    await round.unharmed();
    // Long enough for what waits to be let go.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const rss = { before, after: rssMb(server.pid) };
    round.close();
    return { ...round.counts, polls: request.polls, pollsAnsweredMs, rssMb: rss, problems };
  } finally {
    stopping = true;
    server.kill('SIGKILL');
    program.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

class HostileRound {
  readonly counts = {
    calls: 0,
    streams: 0,
    slowestMs: 0,
    late: 0,
    statuses: {} as Record<string, number>,
  };
  readonly #address: string;
  readonly #client: Client;
  readonly #streams: HostileStreams;
  readonly #chance: Chance;
  readonly #problems: string[];
  #large = Promise.resolve();

  constructor(address: string, seed: number, problems: string[]) {
    this.#address = address;
    this.#client = clientOf(address);
    this.#streams = new HostileStreams(address);
    this.#chance = new Chance(seed);
    this.#problems = problems;
  }

  close(): void {
    this.#client.close();
    this.#streams.close();
  }

  /** Runs with a workflow task that somebody holds, in two namespaces, so that there are tokens to send. */
  async known(): Promise<Known> {
    const bytes: Uint8Array[] = [];
    const texts = ['a', 'orders', 'Order', 'default', 'elsewhere'];
    await this.#plain(
      'RegisterNamespace',
      v1.RegisterNamespaceRequest.encode({
        namespace: 'elsewhere',
        workflowExecutionRetentionPeriod: { seconds: Long.fromInt(86_400) },
      }).finish(),
    );
    for (const namespace of ['default', 'elsewhere']) {
      const start = {
        namespace,
        workflowId: 'a',
        requestId: 'a',
        workflowType: { name: 'Order' },
        taskQueue: { name: 'orders' },
      };
      const started = v1.StartWorkflowExecutionResponse.decode(
        await this.#plain(
          'StartWorkflowExecution',
          v1.StartWorkflowExecutionRequest.encode(start).finish(),
        ),
      );
      texts.push(started.runId);
      const poll = { namespace, taskQueue: { name: 'orders' } };
      const task = v1.PollWorkflowTaskQueueResponse.decode(
        await this.#plain(
          'PollWorkflowTaskQueue',
          v1.PollWorkflowTaskQueueRequest.encode(poll).finish(),
        ),
      );
      bytes.push(task.taskToken);
    }
    return { texts, bytes };
  }

  /** So many calls, each of another kind, some of them side by side. */
  async run(calls: number, known: Known): Promise<void> {
    const requests = new HostileRequests(this.#chance.whole(0, 2 ** 31), known);
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < calls) {
        const number = next;
        next += 1;
        const method = this.#chance.pick(hostileMethods);
        if (number % 10 === 0) await this.#stream(method, number / 10);
        else await this.#request(method, requests, number);
      }
    };
    await Promise.all(Array.from({ length: sideBySide }, lane));
  }

  async #request(method: HostileMethod, requests: HostileRequests, number: number): Promise<void> {
    // Those of megabytes are few: they would measure the machine's loopback.
    const large = number % 50 === 1;
    const kind = large ? this.#chance.pick(largeKinds) : this.#chance.pick(smallKinds);
    this.counts.calls += 1;
    const wait = mayWait(method);
    const ms = wait ? this.#chance.whole(500, 3_000) : patienceMs;
    const bytes = requests.make(method, kind);
    // One after the other: what is measured is an answer, not how much goes through a connection.
    const turn = this.#large;
    let over = (): void => undefined;
    if (large) {
      this.#large = new Promise((resolve) => (over = resolve));
      await turn;
    }
    const began = performance.now();
    const { code, message } = await this.#call(method.path, bytes, ms);
    over();
    const took = performance.now() - began;
    if (!wait) this.#count(took);
    this.#judge(`${method.rpc} with ${kind}`, String(code), message, wait);
  }

  async #stream(method: HostileMethod, number: number): Promise<void> {
    // A call that may wait has no deadline here.
    if (mayWait(method)) return;
    const kind = this.#chance.pick(streamKinds);
    if (kind === 'packed bomb' && number % 10 !== 0) return;
    this.counts.streams += 1;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), patienceMs);
    });
    const began = performance.now();
    const end = await Promise.race([this.#streams.send(kind, method.path), late]);
    clearTimeout(timer);
    this.#count(performance.now() - began);
    const what = `${method.rpc} on a stream: ${kind}`;
    if (end === 'late') this.#problem(`${what} had no answer in ${patienceMs} ms`);
    else if (end) this.#judge(what, end.status ?? 'none', end.message, false);
  }

  #count(ms: number): void {
    this.counts.slowestMs = Math.max(this.counts.slowestMs, Math.round(ms));
    if (ms > answerMsMax) this.counts.late += 1;
  }

  #judge(what: string, code: string, message: string, wait: boolean): void {
    const name = grpcStatus[Number(code)] ?? code;
    this.counts.statuses[name] = (this.counts.statuses[name] ?? 0) + 1;
    const fault = ['INTERNAL', 'UNKNOWN', 'DATA_LOSS', 'none'].includes(name);
    // The transport's own word for a frame that lies is no fault of the service.
    if (fault && !what.includes('on a stream')) this.#problem(`${what}: ${name} ${message}`);
    if (name === 'none') this.#problem(`${what}: no status`);
    if (name === 'DEADLINE_EXCEEDED' && !wait) this.#problem(`${what}: no answer in time`);
    if (inside.test(message)) this.#problem(`${what} shows its inside: ${message}`);
  }

  #problem(problem: string): void {
    this.#problems.push(problem.slice(0, 400));
  }

  /** Polls that find nothing, over several connections; how long another call took beside them. */
  async poll(count: number): Promise<number> {
    if (count === 0) return 0;
    const clients = Array.from({ length: 20 }, () => clientOf(this.#address));
    const ended = { answered: 0 };
    const running = Array.from({ length: count }, (_, number) => {
      const [rpc, type] = this.#chance.pick([
        ['PollWorkflowTaskQueue', v1.PollWorkflowTaskQueueRequest],
        ['PollActivityTaskQueue', v1.PollActivityTaskQueueRequest],
      ] as const);
      const taskQueue = { name: `idle-${this.#chance.whole(0, 500)}` };
      const bytes = type.encode({ namespace: 'default', taskQueue, identity: 'idle' }).finish();
      const client = clients[number % clients.length] ?? this.#client;
      return makeCall(client, workflowPath(rpc), bytes, 60_000, () => (ended.answered += 1));
    });
    const began = performance.now();
    for (let left = 20; left > 0; left -= 1) await this.unharmed();
    const ms = Math.round((performance.now() - began) / 20);
    if (ended.answered > 0) this.#problem(`${ended.answered} idle polls ended early`);
    for (const call of running) call.cancel();
    for (const client of clients) client.close();
    return ms;
  }

  /** Somebody who means well is served. */
  async unharmed(): Promise<void> {
    const bytes = v1.ListWorkflowExecutionsRequest.encode({ namespace: 'default', pageSize: 5 });
    const { code, message } = await this.#call(
      workflowPath('ListWorkflowExecutions'),
      bytes.finish(),
      patienceMs,
    );
    if (code !== grpcStatus.OK) this.#problem(`an honest call ended with ${code} ${message}`);
  }

  async #plain(rpc: string, bytes: Uint8Array): Promise<Uint8Array> {
    const { code, message, reply } = await this.#call(workflowPath(rpc), bytes, patienceMs);
    if (!reply) throw new TypeError(`${rpc} ended with ${code} ${message}`);
    return reply;
  }

  #call(
    path: string,
    bytes: Uint8Array,
    ms: number,
  ): Promise<{ readonly code: number; readonly message: string; readonly reply?: Uint8Array }> {
    return new Promise((resolve) => {
      makeCall(this.#client, path, bytes, ms, (code, message, reply) =>
        resolve({ code, message, ...(reply && { reply }) }),
      );
    });
  }
}

function makeCall(
  client: Client,
  path: string,
  bytes: Uint8Array,
  ms: number,
  done: (code: number, message: string, reply?: Uint8Array) => void,
): { cancel(): void } {
  const asIs = (value: Buffer): Buffer => value;
  const deadline = Date.now() + ms;
  const metadata = new Metadata();
  return client.makeUnaryRequest(
    path,
    asIs,
    asIs,
    Buffer.from(bytes),
    metadata,
    { deadline },
    (error, reply) => done(error?.code ?? grpcStatus.OK, error?.details ?? '', reply),
  );
}

function clientOf(address: string): Client {
  return new Client(address, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_send_message_length': -1,
    'grpc.max_receive_message_length': -1,
  });
}

function workflowPath(rpc: string): string {
  return `/temporal.api.workflowservice.v1.WorkflowService/${rpc}`;
}

function rssMb(pid: number | undefined): number {
  const kilobytes = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return Math.round(Number(kilobytes) / 1_024);
}
