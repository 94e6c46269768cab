import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/manual-clock.ts';
import type { TaskLimit } from './definition.ts';
import { StepSlots } from './step-slots.ts';

function slotsOf(limit: TaskLimit, onRoom: () => void = () => undefined) {
  const clock = new ManualClock();
  const limits = new Map([['q', limit]]);
  return {
    clock,
    slots: new StepSlots({ stepsMax: () => 100, limits, clock: clock.view(), onRoom }),
  };
}

describe('a place that a step has left', () => {
  it('is for what follows from the step, and for those that wait when it is released', () => {
    const { slots } = slotsOf({ concurrent: 1 });
    const slot = slots.reserve('q');
    expect(slot && slots.vacate(slot)).toBeUndefined();
    expect(slots.free('q')).toBe(0);
    const next = slots.reserve('q');
    expect(next).toBeDefined();
    slot?.release();
    expect(slots.free('q')).toBe(0);
    next?.release();
    expect(slots.free('q')).toBe(1);
    expect(slots.free('other')).toBe(100);
  });

  it('counts once, however often it is given back', () => {
    const { slots } = slotsOf({});
    const slot = slots.reserve('q');
    slot?.release();
    slot?.release();
    if (slot) slots.vacate(slot);
    expect(slots.free('q')).toBe(100);
  });
});

describe('a rate of starts', () => {
  it('counts from the start, not from when the place was given', async () => {
    const { clock, slots } = slotsOf({ perSecond: 2 });
    const [one, two] = [slots.reserve('q'), slots.reserve('q')];
    expect(slots.reserve('q')).toBeUndefined();
    await clock.advance(900);
    if (one) slots.started(one);
    if (two) slots.started(two);
    await clock.advance(200);
    expect(slots.free('q')).toBe(0);
    expect(slots.reserve('q')).toBeUndefined();
    await clock.advance(801);
    expect(slots.free('q')).toBe(2);
  });

  it('does not count a place that was given back unused', () => {
    const { slots } = slotsOf({ perSecond: 1 });
    slots.reserve('q')?.release();
    expect(slots.reserve('q')).toBeDefined();
  });

  it('tells of room when the starts that it waited for are a second old', async () => {
    let told = 0;
    const { clock, slots } = slotsOf({ perSecond: 1 }, () => (told += 1));
    const slot = slots.reserve('q');
    expect(slots.reserve('q')).toBeUndefined();
    await clock.advance(500);
    if (slot) slots.started(slot);
    slot?.release();
    await clock.advance(1_000);
    expect(told).toBe(0);
    await clock.advance(1);
    expect(told).toBe(1);
    expect(slots.reserve('q')).toBeDefined();
  });

  it('tells of room when a place is given back unused', async () => {
    let told = 0;
    const { clock, slots } = slotsOf({ perSecond: 1 }, () => (told += 1));
    const slot = slots.reserve('q');
    expect(slots.reserve('q')).toBeUndefined();
    slot?.release();
    await clock.advance(1);
    expect(told).toBe(1);
  });

  it('waits no longer than a second when the clock was set back', async () => {
    const { clock, slots } = slotsOf({ perSecond: 1 });
    const slot = slots.reserve('q');
    if (slot) slots.started(slot);
    clock.shift(-3_600_000);
    expect(slots.reserve('q')).toBeUndefined();
    await clock.advance(1_001);
    expect(slots.reserve('q')).toBeDefined();
  });

  it('holds in every second, however long a start takes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(
          fc.record({
            waitMs: fc.integer({ min: 0, max: 400 }),
            startMs: fc.integer({ min: 0, max: 1_500 }),
            starts: fc.boolean(),
          }),
          { minLength: 20, maxLength: 60 },
        ),
        async (perSecond, tries) => {
          const { clock, slots } = slotsOf({ perSecond });
          const starts: number[] = [];
          for (const { waitMs, startMs, starts: begins } of tries) {
            await clock.advance(waitMs);
            const slot = slots.reserve('q');
            if (!slot) continue;
            clock.view().setTimer(startMs, () => {
              if (begins) {
                slots.started(slot);
                starts.push(clock.now);
              }
              slot.release();
            });
          }
          await clock.advance(2_000);
          for (const from of starts) {
            const within = starts.filter((at) => at >= from && at < from + 1_000);
            expect(within.length).toBeLessThanOrEqual(perSecond);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
