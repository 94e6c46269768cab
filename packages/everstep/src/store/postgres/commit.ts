/**
 * The write path. The groups of a call go to the server in one statement each fifty, which is one round trip and one
 * transaction: the function commit_1 of the migrations. A group of one write is checked by the write itself; one of
 * several, or with reads, goes alone and is written whole or refused. Groups that touch the same run wait for one
 * another, so that each sees those before it.
 */
import { CommitArrays, isWhole } from './commit-arrays.ts';
import type { PostgresQuestions } from './database.ts';
import { conflictState, isAnswer, isPassing, sqlStateOf, storeErrorOf } from './errors.ts';
import { isUnsent } from '../commit-lanes.ts';
import { namedTwice, wavesOf } from '../commit-waves.ts';
import { describeRun } from '../run-columns.ts';
import { StoreError } from '../store.ts';
import type { CommitGroup, CommitResult, RunWrite } from '../store.ts';

const groupsAtOnce = 50;
const triesMax = 5;
const conflict: CommitResult = { outcome: 'conflict' };

export class PostgresCommit {
  readonly #db: PostgresQuestions;
  readonly #text: string;

  constructor(db: PostgresQuestions) {
    this.#db = db;
    this.#text = CommitArrays.statement(db.schema);
  }

  async commit(groups: readonly CommitGroup[]): Promise<readonly CommitResult[]> {
    const results: CommitResult[] = groups.map(() => conflict);
    for (const wave of wavesOf(groups)) {
      const calls = await Promise.allSettled(
        callsOf(groups, wave).map(async (call) => {
          const answers = await this.#write(call.map((index) => groups[index] as CommitGroup));
          for (const [place, index] of call.entries()) results[index] = answers[place] ?? conflict;
        }),
      );
      // It is not known what became of these; the engine reads back what was written.
      for (const call of calls) if (call.status === 'rejected') throw call.reason;
    }
    return results;
  }

  /** Groups that touch different runs; more than one only where each is a single write. */
  async #write(groups: readonly CommitGroup[], full = false): Promise<readonly CommitResult[]> {
    const twice = groups.map(namedTwice).find((write) => write !== undefined);
    if (twice) return groups.map(() => this.#twice(twice));
    const arrays = new CommitArrays(groups, full);
    for (let tries = 1; ; tries += 1) {
      try {
        const row = await this.#db.commit(this.#text, (fence) => arrays.values(fence));
        const results = arrays.resultsOf(row);
        return full ? results : await this.#again(groups, arrays, results);
      } catch (cause) {
        if (!isAnswer(cause) && !isUnsent(cause)) throw cause;
        if (sqlStateOf(cause) === conflictState) return [conflict];
        if (isPassing(cause) && tries < triesMax) continue;
        if (groups.length === 1 || isUnsent(cause)) {
          const error = storeErrorOf(cause, this.#db.description);
          return groups.map(() => ({ outcome: 'failed', error }));
        }
        // One that cannot be written does not take the others with it.
        const results: CommitResult[] = [];
        for (const group of groups) results.push(...(await this.#write([group], full)));
        return results;
      }
    }
  }

  /** Writes that were refused may have been so only because the visibility row changes: once more, with that row. */
  async #again(
    groups: readonly CommitGroup[],
    arrays: CommitArrays,
    results: readonly CommitResult[],
  ): Promise<readonly CommitResult[]> {
    const left = [...groups.keys()].filter(
      (index) => results[index]?.outcome === 'conflict' && arrays.isPartial(index),
    );
    if (left.length === 0) return results;
    const again = await this.#write(
      left.map((index) => groups[index] as CommitGroup),
      true,
    );
    return results.map((result, index) => again[left.indexOf(index)] ?? result);
  }

  #twice(write: RunWrite): CommitResult {
    return {
      outcome: 'failed',
      error: new StoreError(
        'STORE_FAILED',
        `A commit to the ${this.#db.description} names ${describeRun(write.key)} twice in one group. Nothing of the group was written.`,
      ),
    };
  }
}

function callsOf(groups: readonly CommitGroup[], wave: readonly number[]): number[][] {
  const calls: number[][] = [];
  const single: number[] = [];
  for (const index of wave) {
    if (isWhole(groups[index] as CommitGroup)) calls.push([index]);
    else single.push(index);
  }
  for (let from = 0; from < single.length; from += groupsAtOnce) {
    calls.push(single.slice(from, from + groupsAtOnce));
  }
  return calls;
}
