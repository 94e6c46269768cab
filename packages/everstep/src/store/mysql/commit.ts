/**
 * The write path. The groups of a call go to the server in one packet each fifty, which is one round trip and one
 * transaction: see commit-packet.ts. It is written whole or refused; refused, the server tells what it found instead,
 * and the packet goes again without the groups that this makes conflicts. Groups that touch the same run go in packets
 * one after the other, so that each sees those before it.
 *
 * A stored routine would save the server some parsing, but needs rights that many users do not have (CREATE ROUTINE,
 * EXECUTE), and MariaDB and MySQL do not agree on arrays, JSON_TABLE and how a routine raises an error.
 */
import { isUnsent } from '../commit-lanes.ts';
import { namedTwice, wavesOf } from '../commit-waves.ts';
import { describeRun } from '../run-columns.ts';
import { StoreError } from '../store.ts';
import type { CommitGroup, CommitResult } from '../store.ts';
import { CommitPacket } from './commit-packet.ts';
import { MysqlRefusal, type MysqlQuestions } from './database.ts';
import { isAnswer, isPassing, storeErrorOf } from './errors.ts';

const groupsAtOnce = 50;
/** Of a packet, in hexadecimal digits: what is larger waits for the network longer than for another round trip. */
const packetBytesMax = 4 * 1024 * 1024;
const triesMax = 5;
const conflict: CommitResult = { outcome: 'conflict' };

export class MysqlCommit {
  readonly #db: MysqlQuestions;

  constructor(db: MysqlQuestions) {
    this.#db = db;
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

  /** Groups that touch different runs. */
  async #write(groups: readonly CommitGroup[]): Promise<readonly CommitResult[]> {
    const results: CommitResult[] = groups.map(() => conflict);
    let left = [...groups.keys()];
    for (const index of left) {
      const twice = namedTwice(groups[index] as CommitGroup);
      if (twice) {
        results[index] = this.#failed(
          `A commit to the ${this.#db.description} names ${describeRun(twice.key)} twice in one group. Nothing of the group was written.`,
        );
        left = left.filter((other) => other !== index);
      }
    }
    /** Groups whose visibility rows are to be written, though they looked as if they did not change. */
    const full = new Set<CommitGroup>();
    for (let tries = 1; left.length > 0; tries += 1) {
      const sent = left.map((index) => groups[index] as CommitGroup);
      let packet: CommitPacket;
      try {
        packet = await CommitPacket.of(this.#db, sent, full);
      } catch (cause) {
        const error = storeErrorOf(cause, this.#db.description);
        for (const index of left) results[index] = { outcome: 'failed', error };
        return results;
      }
      try {
        await this.#db.commit((fence) => packet.statements(fence), packet.look());
        for (const [place, index] of left.entries()) results[index] = packet.resultOf(place);
        return results;
      } catch (cause) {
        if (cause instanceof MysqlRefusal) {
          const lost = new Set(packet.conflictsIn(cause.found));
          const grown = full.size;
          for (const group of packet.changedIn(cause.found)) full.add(group);
          left = left.filter((_, place) => !lost.has(place));
          if (lost.size > 0 || full.size > grown) {
            tries = 0;
            continue;
          }
          this.#db.isBehind();
        } else if (!isAnswer(cause) && !isUnsent(cause)) throw cause;
        if ((cause instanceof MysqlRefusal || isPassing(cause)) && tries < triesMax) continue;
        if (left.length === 1 || isUnsent(cause)) {
          const told = cause instanceof MysqlRefusal ? cause.cause : cause;
          const error = storeErrorOf(told, this.#db.description);
          for (const index of left) results[index] = { outcome: 'failed', error };
          return results;
        }
        // One that cannot be written does not take the others with it.
        for (const index of left) {
          const [result] = await this.#write([groups[index] as CommitGroup]);
          results[index] = result ?? conflict;
        }
        return results;
      }
    }
    return results;
  }

  #failed(message: string): CommitResult {
    return { outcome: 'failed', error: new StoreError('STORE_FAILED', message) };
  }
}

/** Of the groups of a wave, those that go together. */
function callsOf(groups: readonly CommitGroup[], wave: readonly number[]): number[][] {
  const calls: number[][] = [];
  let call: number[] = [];
  let bytes = 0;
  for (const index of wave) {
    const size = bytesOf(groups[index] as CommitGroup);
    if (call.length > 0 && (call.length >= groupsAtOnce || bytes + size > packetBytesMax)) {
      calls.push(call);
      call = [];
      bytes = 0;
    }
    call.push(index);
    bytes += size;
  }
  if (call.length > 0) calls.push(call);
  return calls;
}

function bytesOf({ writes }: CommitGroup): number {
  let bytes = 0;
  for (const { state, history, outbox, mail } of writes) {
    bytes += state.length + (history?.bytes.length ?? 0);
    for (const message of outbox) bytes += message.length;
    for (const letter of mail) bytes += letter.bytes.length;
  }
  return 2 * bytes;
}
