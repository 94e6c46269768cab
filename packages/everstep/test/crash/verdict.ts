/**
 * Judges a round: what the parent was told, what the steps wrote, and what the file holds must agree. `lost` counts
 * acknowledgements without their effect, `duplicated` effects that happened more often than asked, and `repeated`
 * completed steps that started again. Repeats of a step in flight at a kill are honest: `inFlight`.
 */
import { isDeepStrictEqual } from 'node:util';
import { readHistory, resultOf, type ReadHistory, type StepHistory } from './history-rules.ts';
import type { LedgerEntry, ParentEntry } from './journal.ts';
import type { StoredFile, StoredTask } from './stored-tasks.ts';
import { failingAttempts, workloadOf, type WorkResult, type Workload } from './workloads.ts';

export interface Verdict {
  readonly tasks: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly repeated: number;
  readonly inFlight: number;
  readonly violations: readonly string[];
}

export function judge(
  journal: readonly ParentEntry[],
  ledger: readonly LedgerEntry[],
  file: StoredFile,
): Verdict {
  const judgement = new Judgement(journal, ledger, file);
  return judgement.verdict();
}

class Judgement {
  readonly #journal: readonly ParentEntry[];
  readonly #ledger = new Map<string, LedgerEntry[]>();
  readonly #stored = new Map<string, StoredTask[]>();
  readonly #violations: string[];
  #acknowledged = 0;
  #lost = 0;
  #duplicated = 0;
  #repeated = 0;
  #inFlight = 0;

  constructor(journal: readonly ParentEntry[], ledger: readonly LedgerEntry[], file: StoredFile) {
    this.#journal = journal;
    for (const entry of ledger) listed(this.#ledger, entry.taskId).push(entry);
    for (const task of file.tasks) listed(this.#stored, task.taskId).push(task);
    this.#violations = [...file.problems];
  }

  verdict(): Verdict {
    for (const taskId of new Set([...this.#submitted(), ...this.#stored.keys()])) {
      this.#task(taskId);
    }
    for (const taskId of this.#ledger.keys()) {
      if (!this.#stored.has(taskId)) {
        this.#lost += 1;
        this.#violations.push(`lost: ${taskId} has run, and is not in the file`);
      }
    }
    return {
      tasks: this.#stored.size,
      acknowledged: this.#acknowledged,
      lost: this.#lost,
      duplicated: this.#duplicated,
      repeated: this.#repeated,
      inFlight: this.#inFlight,
      violations: this.#violations,
    };
  }

  #submitted(): string[] {
    return this.#journal.flatMap((entry) =>
      'ack' in entry && entry.ack === 'submit' ? [entry.taskId] : [],
    );
  }

  #task(taskId: string): void {
    const entries = this.#journal.filter((entry) => 'taskId' in entry && entry.taskId === taskId);
    const acks = entries.filter((entry) => 'ack' in entry || 'seen' in entry);
    this.#acknowledged += acks.length;
    const [task, ...more] = this.#stored.get(taskId) ?? [];
    if (task === undefined) {
      this.#lose(`${taskId} was acknowledged, and is not in the file`);
      return;
    }
    for (const { status } of more) this.#duplicate(`${taskId} has another run, ${status}`);
    if (!entries.some((entry) => 'intent' in entry && entry.intent === 'submit')) {
      this.#violations.push(`${taskId} is in the file, and was never submitted`);
    }
    const history = readHistory(task.events);
    for (const problem of history.problems) this.#violations.push(`${taskId}: ${problem}`);
    const workload = workloadOf(taskId.slice(0, taskId.lastIndexOf('-')));
    const ledger = this.#ledger.get(taskId) ?? [];
    this.#acks(taskId, entries, history, task);
    for (const key of workload.keys) this.#step(taskId, key, entries, history, ledger);
    this.#result(taskId, workload, history, task, ledger);
  }

  /** Invariants 8 to 10: what was acknowledged has its effect, and once. */
  #acks(
    taskId: string,
    entries: readonly ParentEntry[],
    history: ReadHistory,
    task: StoredTask,
  ): void {
    for (const entry of entries) {
      if ('seen' in entry && !stepOf(history, entry.seen)?.completed) {
        this.#lose(`${taskId} was shown with ${entry.seen} completed, and the history lacks that`);
      }
      if (!('ack' in entry)) continue;
      if (entry.ack === 'signal' && !history.signalRequestIds.includes(`signal-${taskId}`)) {
        this.#lose(`${taskId}: its acknowledged signal is not in the history`);
      }
      if (entry.ack === 'result' && !isDeepStrictEqual(entry.value, resultOf(task.events))) {
        this.#lose(`${taskId}: the result that was given is not the one that is kept`);
      }
    }
    const signals = history.signalRequestIds.length;
    if (signals > 1) this.#duplicate(`${taskId} has ${signals} signals, and was sent one`);
    if (signals > 0 && !entries.some((entry) => 'intent' in entry && entry.intent === 'signal')) {
      this.#duplicate(`${taskId} has a signal, and was sent none`);
    }
  }

  #step(
    taskId: string,
    key: string,
    entries: readonly ParentEntry[],
    history: ReadHistory,
    ledger: readonly LedgerEntry[],
  ): void {
    const name = `${taskId}/${key}`;
    const own = ledger.filter((entry) => entry.key === key);
    const starts = own.filter((entry) => entry.what === 'start');
    const step = stepOf(history, key);
    if (step === undefined) {
      this.#violations.push(`${name} was never scheduled`);
      return;
    }
    const seenAt = entries.find((entry) => 'seen' in entry && entry.seen === key)?.at ?? Infinity;
    for (const start of starts) {
      if (step.completed && start.at > step.at) {
        this.#repeat(`${name} started ${start.at - step.at} ms after its completion was committed`);
      } else if (start.at > seenAt) {
        this.#repeat(`${name} started ${start.at - seenAt} ms after it was seen completed`);
      }
    }
    // A step that ended well in a process was reported by it, and has no reason to run there again.
    for (const finish of own.filter((entry) => entry.what === 'finish')) {
      const again = starts.find((start) => start.pid === finish.pid && start.at > finish.at);
      if (again)
        this.#repeat(`${name} started again in process ${finish.pid} where it had finished`);
    }
    const attempts = new Set(starts.map((start) => start.attempt));
    this.#inFlight += starts.length - attempts.size;
    for (let attempt = 1; attempt <= attempts.size; attempt += 1) {
      if (!attempts.has(attempt)) this.#violations.push(`${name} has no attempt ${attempt}`);
    }
    if (new Set(starts.map((start) => start.idempotencyKey)).size > 1) {
      this.#violations.push(`${name} has several idempotency keys`);
    }
    const [first, ...others] = starts.map((start) => start.inputs);
    if (others.some((other) => !isDeepStrictEqual(other, first))) {
      this.#violations.push(
        `${name} was given other inputs when it ran again: ${JSON.stringify([first, ...others])}`,
      );
    }
    this.#attempts(name, step, starts, own);
  }

  #attempts(
    name: string,
    step: StepHistory,
    starts: readonly LedgerEntry[],
    own: readonly LedgerEntry[],
  ): void {
    if (step.key === 'single') {
      if (starts.length > 1) {
        this.#duplicate(`${name} may be tried once, and started ${starts.length} times`);
      }
      return;
    }
    if (!step.completed) this.#violations.push(`${name} did not complete`);
    const expected = step.key === 'shaky' ? failingAttempts + 1 : 1;
    if (step.attempt !== expected) {
      this.#violations.push(`${name} completed in attempt ${step.attempt}, not in ${expected}`);
    }
    const failed = new Set(
      own.filter((entry) => entry.what === 'fail').map((entry) => entry.attempt),
    );
    if (failed.size !== expected - 1) {
      this.#violations.push(`${name} failed in ${failed.size} attempts, not in ${expected - 1}`);
    }
  }

  /** The result holds what was committed, and what the code saw is what every step after it was given. */
  #result(
    taskId: string,
    workload: Workload,
    history: ReadHistory,
    task: StoredTask,
    ledger: readonly LedgerEntry[],
  ): void {
    if (task.status !== 'completed') {
      this.#violations.push(`${taskId} is ${task.status}, not completed`);
      return;
    }
    const result = resultOf(task.events) as WorkResult | undefined;
    if (result === undefined) {
      this.#violations.push(`${taskId} has no result`);
      return;
    }
    for (const key of workload.keys) {
      const token = result.tokens[key];
      const step = stepOf(history, key);
      if (key === 'single' && step?.completed === false) {
        if (token !== undefined || result.lost !== 'ProcessLost') {
          this.#violations.push(
            `${taskId}: a lost single attempt came to ${JSON.stringify(result)}`,
          );
        }
        continue;
      }
      const finished = ledger.some(
        (entry) => entry.what === 'finish' && entry.key === key && entry.token === token,
      );
      if (token === undefined || !finished) {
        this.#violations.push(`${taskId}: ${key} came to ${token}, which no run of it has made`);
      }
      const kept = key === workload.keys[0] && workload.name === 'lone' ? token : step?.result;
      if (kept !== token) {
        this.#violations.push(
          `${taskId}: ${key} is ${String(kept)} in the history, ${token} in the result`,
        );
      }
    }
    const order = history.order.filter((name) => workload.branches.includes(name));
    if (!isDeepStrictEqual(order, [...result.order])) {
      this.#violations.push(
        `${taskId}: the code saw ${result.order.join(', ')}; the history has ${order.join(', ')}`,
      );
    }
    for (const { key, what, inputs } of ledger) {
      if (what === 'start') this.#inputs(`${taskId}/${key}`, inputs, result);
    }
    if (workload.signalled && result.answer !== `for ${taskId}`) {
      this.#violations.push(`${taskId} was answered ${JSON.stringify(result.answer)}`);
    }
  }

  #inputs(name: string, inputs: unknown, result: WorkResult): void {
    const given = inputs as Partial<WorkResult> & Record<string, unknown>;
    const tokens = given.tokens ?? (given.order ? {} : (given as Record<string, unknown>));
    for (const [key, token] of Object.entries(tokens)) {
      if (result.tokens[key] !== token) {
        this.#violations.push(
          `${name} was given ${key} as ${String(token)}, not as the result has it`,
        );
      }
    }
    if (given.order && !isDeepStrictEqual([...given.order], [...result.order])) {
      this.#violations.push(`${name} was given the order ${given.order.join(', ')}`);
    }
  }

  #lose(what: string): void {
    this.#lost += 1;
    this.#violations.push(`lost: ${what}`);
  }

  #duplicate(what: string): void {
    this.#duplicated += 1;
    this.#violations.push(`duplicated: ${what}`);
  }

  #repeat(what: string): void {
    this.#repeated += 1;
    this.#violations.push(`repeated: ${what}`);
  }
}

function stepOf(history: ReadHistory, key: string): StepHistory | undefined {
  return history.steps.find((step) => step.key === key);
}

function listed<T>(map: Map<string, T[]>, key: string): T[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}
