import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBatch, encodeBatch, sliceBatch } from './history-batch.ts';
import type { HistoryEvent } from './proto.ts';
import { longOf, numberOf } from './time.ts';

/** Events of any size: the lengths before them take one to three bytes. */
function batchOf(firstEventId: number, sizes: readonly number[]) {
  const events = sizes.map((size, index): HistoryEvent => ({
    eventId: longOf(firstEventId + index),
    eventType: 26,
    workflowExecutionSignaledEventAttributes: {
      signalName: 's',
      input: { payloads: [{ data: new Uint8Array(size).fill(10) }] },
    },
  }));
  const nextEventId = firstEventId + events.length;
  return { firstEventId, nextEventId, bytes: encodeBatch(events) };
}

const idsOf = (bytes: Uint8Array): number[] =>
  decodeBatch(bytes).map(({ eventId }) => numberOf(eventId));

describe('a part of a batch (section 14)', () => {
  it('holds the events of its range and no other', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 8 });
    const id = fc.integer({ min: 1, max: 400 });
    fc.assert(
      fc.property(sizes, id, id, fc.nat(12), (all, first, from, count) => {
        const batch = batchOf(first, all);
        const until = from + count;
        const within = all
          .map((_, index) => first + index)
          .filter((one) => one >= from && one < until);
        expect(idsOf(sliceBatch(batch, from, until))).toEqual(within);
      }),
      { numRuns: 200 },
    );
  });

  it('is the batch itself where the range takes all of it', () => {
    const batch = batchOf(3, [1, 2]);
    expect(sliceBatch(batch, 1, 5)).toBe(batch.bytes);
  });
});
