import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationOf, timestampOf } from '../time.ts';
import { isoSecondOf } from './calendar.ts';
import { canonicalSpec, compileSpec } from './schedule-spec.ts';
import type { WireSpec } from './schedule-spec.ts';

function canonical(spec: WireSpec): WireSpec {
  const answer = canonicalSpec(spec);
  if (!answer.ok) throw new TypeError(answer.problem);
  return answer.value;
}

function problemOf(spec: WireSpec): string {
  const answer = canonicalSpec(spec);
  return answer.ok ? '' : answer.problem;
}

/** Nominal times after an instant, as text. */
function times(spec: WireSpec, after: string, count: number): string[] {
  const compiled = compileSpec(canonical(spec));
  const found: string[] = [];
  for (let at: number | undefined = Date.parse(after); found.length < count;) {
    at = compiled.nextTime(at, 'seed')?.nominal;
    if (at === undefined) break;
    found.push(isoSecondOf(at));
  }
  return found;
}

const cron = (...cronString: string[]): WireSpec => ({ cronString });
const hour = 3_600_000;

describe('the canonical form of a spec', () => {
  it('has a cron string as a structured calendar with its comment (SC-5)', () => {
    const one = (start: number, end = start, step = 1) => [{ start, end, step }];
    expect(canonical(cron('*/15 9-17 1,15 jan-march mon-fri 2027-2030 # hello there'))).toEqual({
      structuredCalendar: [
        {
          second: one(0),
          minute: one(0, 59, 15),
          hour: one(9, 17),
          dayOfMonth: [...one(1), ...one(15)],
          month: one(1, 3),
          year: one(2027, 2030),
          dayOfWeek: one(1, 5),
          comment: 'hello there',
        },
      ],
    });
  });

  it('has the jitter and the calendars as they were given (SC-5)', () => {
    const calendar = { hour: [{ start: 9, end: 9, step: 1 }], comment: 'no minute' };
    const spec = { structuredCalendar: [calendar], jitter: durationOf(0) };
    expect(canonical(spec)).toEqual(spec);
    expect(canonical({ structuredCalendar: [calendar] })).not.toHaveProperty('jitter');
  });

  it('has no zone by an interval, whose times it does not change (SC-5)', () => {
    expect(canonical(cron('TZ=Europe/Rome @every 5h'))).not.toHaveProperty('timezoneName');
  });

  it('writes Sunday as 0, alone and at the end of a week (SC-5)', () => {
    const days = (text: string) =>
      canonical(cron(`0 0 * * ${text}`)).structuredCalendar?.[0]?.dayOfWeek;
    expect(days('7')).toEqual([{ start: 0, end: 0, step: 1 }]);
    expect(days('5-7')).toEqual([
      { start: 0, end: 0, step: 1 },
      { start: 5, end: 6, step: 1 },
    ]);
    expect(days('sunday')).toEqual([{ start: 0, end: 0, step: 1 }]);
    expect(days('*')).toEqual([{ start: 0, end: 6, step: 1 }]);
  });

  it('has @every as an interval, with its phase and its zone (SC-5)', () => {
    const { interval } = canonical(cron('@every 1h/5m'));
    expect(interval).toEqual([{ interval: durationOf(hour), phase: durationOf(300_000) }]);
    expect(canonical(cron('CRON_TZ=Europe/Berlin 30 2 * * *')).timezoneName).toBe('Europe/Berlin');
  });

  it('stays as it is when it is made canonical again', () => {
    const spec = canonical({ ...cron('*/7 1-5 * * 2-7/3', '@every 90s'), jitter: durationOf(5) });
    expect(canonical(spec)).toEqual(spec);
  });

  it.each([
    [cron('61 * * * *'), 'Minute is not in range [0-59]'],
    [cron('0 0 * * 6-1'), 'DayOfWeek End is before Start or not in range [0-7]'],
    [cron('0 0 * *'), 'CronString does not have 5-7 fields'],
    [cron('@reboot'), 'CronString does not have 5-7 fields'],
    [cron('*/0 * * * *'), 'Minute has an invalid step'],
    [cron('@every 90x'), 'invalid duration in "@every 90x"'],
    [cron('TZ=Nowhere/X 0 0 * * *'), 'unknown time zone Nowhere/X'],
    [cron('TZ=UTC @daily', 'TZ=Europe/Rome @daily'), 'time zone that differs'],
    [cron('TZ=UTC @daily', '@hourly'), 'or lacks it'],
    [{ ...cron('TZ=UTC @daily'), timezoneName: 'Europe/Rome' }, 'differs from timezone_name'],
    [{ interval: [{ interval: durationOf(500) }] }, 'interval is too small'],
    [
      { interval: [{ interval: durationOf(hour), phase: durationOf(hour) }] },
      'phase cannot be greater than Interval',
    ],
    [{ structuredCalendar: [{ hour: [{ start: 24 }] }] }, 'Hour is not in range [0-23]'],
    [{ timezoneData: new Uint8Array(1) }, 'timezone_data is not supported'],
    [{ cronString: ['constructor'] }, 'CronString does not have 5-7 fields'],
  ] satisfies [WireSpec, string][])('refuses %j', (spec, problem) => {
    expect(problemOf(spec)).toContain(problem);
  });
});

describe('the times of a spec', () => {
  it('are epoch-aligned intervals with their phase (SC-5)', () => {
    const spec = { interval: [{ interval: durationOf(7 * hour), phase: durationOf(hour) }] };
    expect(times(spec, '1970-01-01T00:00:00Z', 2)).toEqual([
      '1970-01-01T01:00:00Z',
      '1970-01-01T08:00:00Z',
    ]);
  });

  it('come twice at an hour that is there twice, and not at one that is not there (SC-5)', () => {
    const half = { ...cron('30 1,2 * * *'), timezoneName: 'America/New_York' };
    expect(times(half, '2026-11-01T00:00:00Z', 4)).toEqual([
      '2026-11-01T05:30:00Z',
      '2026-11-01T06:30:00Z',
      '2026-11-01T07:30:00Z',
      '2026-11-02T06:30:00Z',
    ]);
    expect(times(half, '2026-03-08T00:00:00Z', 2)).toEqual([
      '2026-03-08T06:30:00Z',
      '2026-03-09T05:30:00Z',
    ]);
  });

  it('lie within start and end, both included, and leave out what is excluded (SC-5)', () => {
    const spec: WireSpec = {
      ...cron('0 * * * *'),
      startTime: timestampOf(Date.parse('2026-01-01T10:00:00Z')),
      endTime: timestampOf(Date.parse('2026-01-01T13:00:00Z')),
      excludeCalendar: [{ hour: '11' }],
    };
    expect(times(spec, '2025-06-01T00:00:00Z', 9)).toEqual([
      '2026-01-01T10:00:00Z',
      '2026-01-01T12:00:00Z',
      '2026-01-01T13:00:00Z',
    ]);
  });

  it('end where the calendar has none, or excludes them all (SC-5)', () => {
    expect(times(cron('0 0 30 2 *'), '2026-01-01T00:00:00Z', 1)).toEqual([]);
    expect(times({}, '2026-01-01T00:00:00Z', 1)).toEqual([]);
    const none = { ...cron('0 0 * * *'), excludeCalendar: [{ hour: '0' }] };
    expect(times(none, '2026-01-01T00:00:00Z', 1)).toEqual([]);
    const all = { ...cron('* * * * *'), excludeCalendar: [{ minute: '*', hour: '*' }] };
    expect(times(all, '2026-01-01T00:00:00Z', 1)).toEqual([]);
    const month = { minute: '*', hour: '*', second: '*', month: '1-11' };
    expect(
      times({ ...cron('* * * * *'), excludeCalendar: [month] }, '2026-01-01T00:00:00Z', 1),
    ).toEqual(['2026-12-01T00:00:00Z']);
    expect(times(cron('0 0 29 2 *'), '2026-01-01T00:00:00Z', 1)).toEqual(['2028-02-29T00:00:00Z']);
  });

  it('are moved by a jitter that is the same each time and less than the gap (SC-4)', () => {
    const spec = canonical({
      interval: [{ interval: durationOf(10_000) }],
      jitter: durationOf(hour),
    });
    const shifts: number[] = [];
    for (let after = 0; shifts.length < 200;) {
      const time = compileSpec(spec).nextTime(after, 'a');
      if (!time) break;
      expect(compileSpec({ ...spec }).nextTime(after, 'a')).toEqual(time);
      shifts.push(time.actual - time.nominal);
      after = time.nominal;
    }
    expect(Math.min(...shifts)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...shifts)).toBeLessThan(10_000);
    // Drawn from all of the gap, and for another schedule otherwise.
    expect(Math.max(...shifts) - Math.min(...shifts)).toBeGreaterThan(8_000);
    expect(compileSpec(spec).nextTime(0, 'b')).not.toEqual(compileSpec(spec).nextTime(0, 'a'));
  });
});

/** What a wall clock of the zone shows, read by another way than the code under test does. */
function wallClock(zone: string): (ms: number) => readonly number[] {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
  return (ms) => {
    const [, day, date, month, year, hours, minute] =
      /^(\w+), (\d+)\/(\d+)\/(\d+), (\d+):(\d+)$/.exec(format.format(ms)) ?? [];
    return [minute, hours, date, month, year].map(Number).concat(days.indexOf(day ?? ''));
  };
}

type Bounds = readonly { readonly start: number; readonly end: number; readonly step: number }[];

const bounds = (min: number, max: number): fc.Arbitrary<Bounds> =>
  fc.array(
    fc
      .tuple(fc.integer({ min, max }), fc.integer({ min, max }), fc.integer({ min: 1, max: 7 }))
      .map(([a, b, step]) => ({ start: Math.min(a, b), end: Math.max(a, b), step })),
    { minLength: 1, maxLength: 2 },
  );

const has = (ranges: Bounds, value: number | undefined): boolean =>
  ranges.some(
    ({ start, end, step }) =>
      value !== undefined && value >= start && value <= end && (value - start) % step === 0,
  );

/** Days on which clocks were or will be changed, and one on which a zone has skipped a whole day. */
const places: readonly (readonly [zone: string, day: string])[] = [
  ['UTC', '2027-12-31'],
  ['America/New_York', '2026-03-08'],
  ['America/New_York', '2026-11-01'],
  ['Europe/Berlin', '2026-10-25'],
  ['Australia/Lord_Howe', '2026-04-05'],
  ['Asia/Kathmandu', '2028-02-28'],
  ['Africa/Casablanca', '2026-02-15'],
  ['Pacific/Apia', '2011-12-30'],
];

describe('calendars', () => {
  it('match the minutes that a walk along the clock finds (SC-5)', () => {
    const minute = 60_000;
    fc.assert(
      fc.property(
        fc.constantFrom(...places),
        fc.record({
          minute: bounds(0, 59),
          hour: bounds(0, 23),
          dayOfMonth: fc.oneof(bounds(1, 31), fc.constant([{ start: 1, end: 31, step: 1 }])),
          month: fc.constant([{ start: 1, end: 12, step: 1 }]),
          dayOfWeek: fc.oneof(bounds(0, 6), fc.constant([{ start: 0, end: 6, step: 1 }])),
        }),
        ([zone, day], calendar) => {
          const from = Date.parse(`${day}T00:00:00Z`) - 30 * hour;
          const to = from + 72 * hour;
          const clock = wallClock(zone);
          const expected: string[] = [];
          for (let at = from + minute; at <= to; at += minute) {
            const [minutes, hours, date, , , weekday] = clock(at);
            if (
              has(calendar.minute, minutes) &&
              has(calendar.hour, hours) &&
              has(calendar.dayOfMonth, date) &&
              has(calendar.dayOfWeek, weekday)
            ) {
              expected.push(isoSecondOf(at));
            }
          }
          const spec = {
            structuredCalendar: [
              {
                second: [{ start: 0 }],
                minute: [...calendar.minute],
                hour: [...calendar.hour],
                dayOfMonth: [...calendar.dayOfMonth],
                month: [...calendar.month],
                dayOfWeek: [...calendar.dayOfWeek],
              },
            ],
            timezoneName: zone,
            endTime: timestampOf(to),
          };
          expect(times(spec, new Date(from).toISOString(), Infinity)).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);

  it.each(['second', 'minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'])(
    'are none where a structured calendar lacks its field %s (SC-5)',
    (field) => {
      const whole = canonical({ calendar: [{ hour: '9' }] }).structuredCalendar?.[0] ?? {};
      const after = '2026-06-01T00:00:00Z';
      const nine = ['2026-06-01T09:00:00Z'];
      expect(times({ structuredCalendar: [{ ...whole, year: [] }] }, after, 1)).toEqual(nine);
      const lacking = { ...whole, [field]: [] };
      expect(times({ structuredCalendar: [lacking] }, after, 1)).toEqual([]);
      const daily = { calendar: [{ hour: '9' }], excludeStructuredCalendar: [lacking] };
      expect(times(daily, after, 1)).toEqual(nine);
    },
  );

  it('match the seconds and years that are given (SC-5)', () => {
    const spec = cron('5/20 0 12 * * sunday 2027');
    expect(times(spec, '2026-06-01T00:00:00Z', 4)).toEqual([
      '2027-01-03T12:00:05Z',
      '2027-01-03T12:00:25Z',
      '2027-01-03T12:00:45Z',
      '2027-01-10T12:00:05Z',
    ]);
  });
});
