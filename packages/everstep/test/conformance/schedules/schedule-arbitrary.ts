/**
 * Random scripts about schedules. Their times lie long ago or far ahead, so nothing happens by itself while a script
 * runs; what comes due by the clock is for the engine's suite and the simulator.
 */
import fc from 'fast-check';
import { durationOf, timestampOf } from '../../../src/core/time.ts';
import { fields, sometimes } from '../scripts/script-arbitrary.ts';
import type {
  RunAnswer,
  ScheduleAction,
  ScheduleFlaw,
  ScheduleOptions,
  SchedulePatch,
  ScheduleScript,
  WireSpec,
} from './schedule-action.ts';
import { schedulesOfScript } from './schedule-actor.ts';

const schedule = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.nat(schedulesOfScript - 1) },
);
const overlap = fc.nat(6);

/** One in so many is bad, so that most schedules come into being. */
function mostly<T>(good: readonly T[], bad: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 25, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...bad) },
  );
}
/** 2024-02-27 and later: a leap day, and the changes of clocks. */
const day = fc.constantFrom(0, 1, 2, 30, 33, 250, 300, 307, 673);

const range: fc.Arbitrary<Range> = fc.oneof(
  fc.record({ start: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ start: fc.integer({ min: 1, max: 6 }), end: fc.integer({ min: 6, max: 12 }) }),
  fc.record({
    start: fc.integer({ min: 1, max: 6 }),
    end: fc.integer({ min: 6, max: 12 }),
    step: fc.nat(4),
  }),
);
const badRange = fc.constantFrom(
  { start: -1 },
  { start: 9, end: 3 },
  { start: 3, end: 99 },
  { start: 1, step: -2 },
);
interface Range {
  readonly start: number;
  readonly end?: number;
  readonly step?: number;
}
type Ranges = fc.Arbitrary<Range[]>;
const goodRanges: Ranges = fc.array(range, { minLength: 1, maxLength: 2 });
const anyRanges: Ranges = fc.array(
  fc.oneof({ weight: 40, arbitrary: range }, { weight: 1, arbitrary: badRange }),
  { minLength: 1, maxLength: 2 },
);

/** The whole field when it is not that one. */
function orAll(percent: number, own: Ranges, all: Range): Ranges {
  return fc.oneof(
    { weight: percent, arbitrary: own },
    { weight: 100 - percent, arbitrary: fc.constant<Range[]>([all]) },
  );
}

/** The server looks into the calendars of times, and not into those that are excluded. */
function structuredOf(ranges: Ranges, isChecked: boolean) {
  return fields<NonNullable<WireSpec['structuredCalendar']>[number]>({
    second: orAll(15, ranges, { start: 0 }),
    minute: orAll(20, ranges, { start: 0 }),
    hour: orAll(70, ranges, { start: 0 }),
    dayOfMonth: orAll(30, ranges, { start: 1, end: 31 }),
    // Without it nothing matches. So it is with other fields, but that takes the server long to find out.
    month: sometimes(97, orAll(25, ranges, { start: 1, end: 12 })),
    year: sometimes(
      10,
      mostly(
        [[{ start: 2024, end: 2025 }], [{ start: 2026 }]],
        [[{ start: isChecked ? 1990 : 2099 }]],
      ),
    ),
    dayOfWeek: orAll(
      25,
      mostly([[{ start: 1, end: 5 }], [{ start: 0 }]], [[{ start: isChecked ? 7 : 3 }]]),
      {
        start: 0,
        end: 6,
      },
    ),
    comment: sometimes(15, fc.constant('said about it')),
  });
}
const textField = mostly(['0', '3', '*/4', '2-5', '1,7', '3-9/2'], ['x', '99', '5-2', '1-', '-3']);
const textual = fields<NonNullable<WireSpec['calendar']>[number]>({
  second: sometimes(5, textField),
  minute: sometimes(15, textField),
  hour: sometimes(60, textField),
  dayOfMonth: sometimes(25, textField),
  month: sometimes(25, mostly(['2', 'feb', 'March', 'jan-jun', '*/3'], ['nonth', '0', '13'])),
  year: sometimes(10, mostly(['2024', '2025-2030', '*'], ['1999', 'never'])),
  dayOfWeek: sometimes(25, mostly(['1-5', 'sun', 'Mon-Fri', 'sat,sun', '7', '0'], ['day', '8'])),
  comment: sometimes(15, fc.constant('said about it')),
});
const cron = mostly(
  [
    '0 12 * * *',
    '@daily',
    '@hourly',
    '@every 5h',
    '@every 3h/20m',
    '30 2 * * sun',
    '0 0 29 2 *',
    '15 10 * * 1-5 2025',
    '7 6 5 4 3 * 2025',
    'CRON_TZ=Europe/Berlin 30 2 * * *',
    'TZ=America/New_York 30 1 * * *',
    '0 8 1,15 * * # paydays',
    '@weekly',
    '@monthly',
    '@yearly',
  ],
  ['@fortnightly', '* *', '61 * * * *', '@every soon', 'CRON_TZ=Nowhere/Land 0 0 * * *'],
);
const hourMs = 3_600_000;
const interval = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      interval: fc
        .constantFrom(5 * hourMs, 24 * hourMs, 100 * hourMs, 2_400 * hourMs)
        .map(durationOf),
      phase: fc.constantFrom(0, 1_000, 90_000, 4 * hourMs).map(durationOf),
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom([0, 0], [-1_000, 0], [1_000, 1_000], [1_000, 2_000], [9_000, -1_000], [500, 0])
      .map(([ms = 0, phaseMs = 0]) => ({ interval: durationOf(ms), phase: durationOf(phaseMs) })),
  },
);
const zone = mostly(
  ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Sydney'],
  ['Nowhere/Land'],
);
const bound = fc
  .constantFrom([2024, 1, 28], [2024, 2, 31], [2025, 0, 1], [2030, 5, 1], [1999, 0, 1])
  .map(([year = 0, month = 0, date = 0]) => timestampOf(Date.UTC(year, month, date, 11, 30)));

const spec: fc.Arbitrary<WireSpec> = fields<WireSpec>({
  structuredCalendar: sometimes(
    30,
    fc.array(structuredOf(anyRanges, true), { minLength: 1, maxLength: 2 }),
  ),
  calendar: sometimes(25, fc.array(textual, { minLength: 1, maxLength: 2 })),
  cronString: sometimes(30, fc.array(cron, { minLength: 1, maxLength: 2 })),
  interval: sometimes(45, fc.array(interval, { minLength: 1, maxLength: 2 })),
  excludeCalendar: sometimes(10, fc.array(textual, { minLength: 1, maxLength: 1 })),
  excludeStructuredCalendar: sometimes(
    20,
    fc.array(structuredOf(goodRanges, false), { minLength: 1, maxLength: 1 }),
  ),
  startTime: sometimes(12, bound),
  endTime: sometimes(12, bound),
  jitter: sometimes(8, fc.constant(durationOf(0))),
  timezoneName: sometimes(25, zone),
  timezoneData: fc.constant(undefined),
});

const options = fields<ScheduleOptions>({
  spec,
  overlap,
  catchupSeconds: sometimes(20, fc.constantFrom(0, 3, 60, 100_000)),
  pauseOnFailure: sometimes(30, fc.constant(true)),
  paused: sometimes(20, fc.constant(true)),
  notes: sometimes(20, fc.constant('a note')),
  remaining: sometimes(20, fc.constantFrom(0, 1, 3)),
  memo: sometimes(20, fc.constant(true)),
  attributes: sometimes(20, fc.constant(true)),
  flaw: sometimes(
    8,
    fc.constantFrom<ScheduleFlaw>('noType', 'noQueue', 'cron', 'reusePolicy', 'negative'),
  ),
});

const patch: fc.Arbitrary<SchedulePatch> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ patch: fc.constantFrom('pause' as const, 'unpause') }) },
  { weight: 5, arbitrary: fc.record({ patch: fc.constant('trigger' as const), overlap }) },
  { weight: 1, arbitrary: fc.record({ patch: fc.constant('triggerNow' as const), overlap }) },
  {
    weight: 3,
    arbitrary: fc.record({
      patch: fc.constant('backfill' as const),
      hours: fc.constantFrom(0, 5, 10, 24),
      overlap,
    }),
  },
);

const create = fields<Extract<ScheduleAction, { do: 'create' }>>({
  do: fc.constant('create' as const),
  schedule,
  options,
  requestId: sometimes(20, fc.nat(1)),
  patch: sometimes(15, patch),
  memo: sometimes(25, fc.constant(true)),
  attributes: sometimes(25, fc.constant(true)),
});
const matchingTimes = fields<Extract<ScheduleAction, { do: 'matchingTimes' }>>({
  do: fc.constant('matchingTimes' as const),
  schedule,
  fromDay: day,
  hours: fc.constantFrom(-5, 0, 30, 100, 2_000, 30_000),
  lacks: sometimes(6, fc.constantFrom('start' as const, 'end' as const)),
});

const part: fc.Arbitrary<ScheduleAction> = fc.oneof(
  { weight: 3, arbitrary: create },
  {
    weight: 3,
    arbitrary: fields<Extract<ScheduleAction, { do: 'update' }>>({
      do: fc.constant('update' as const),
      schedule,
      options,
      token: fc.constantFrom('none' as const, 'fresh' as const),
      attributes: sometimes(20, fc.constant(true)),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('patch' as const), schedule, patch }) },
  { weight: 4, arbitrary: matchingTimes },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), schedule }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('finish' as const),
      schedule,
      pick: fc.nat(5),
      answer: fc.constantFrom<RunAnswer>('complete', 'complete', 'fail', 'cancel', 'terminate'),
    }),
  },
);

/** Begins with a schedule whose times are asked for. */
export const scheduleScript: fc.Arbitrary<ScheduleScript> = fc
  .tuple(create, matchingTimes, fc.array(part, { minLength: 2, maxLength: 14 }))
  .map(([first, second, rest]) => [{ ...first, schedule: 0 }, { ...second, schedule: 0 }, ...rest]);
