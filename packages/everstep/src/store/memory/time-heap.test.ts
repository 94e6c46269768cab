import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TimeHeap } from './time-heap.ts';

it('gives back what a sorted list of the live entries would', () => {
  const move = fc.record({ id: fc.integer({ min: 1, max: 20 }), time: fc.nat(50) });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 3_000 }), fc.nat(60), (moves, until) => {
      const live = new Map<number, number>();
      const heap = new TimeHeap((time, id) => live.get(id) === time);
      for (const { id, time } of moves) {
        live.set(id, time);
        if (time > 0) heap.add(time, id);
      }
      const sorted = [...live]
        .filter(([, time]) => time > 0)
        .map(([id, time]) => ({ time, id }))
        .sort((a, b) => a.time - b.time || a.id - b.id);
      expect(heap.earliest()).toBe(sorted[0]?.time ?? 0);
      expect(heap.peek(until, 5)).toEqual(sorted.filter(({ time }) => time <= until).slice(0, 5));
      expect(heap.take(Infinity, 100)).toEqual(sorted);
    }),
    { numRuns: 50 },
  );
});
