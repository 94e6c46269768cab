import { expect, it } from 'vitest';
import { cronBackoffMs, validateCron } from './cron.ts';

const at = (iso: string) => Date.parse(iso);

it('the next tick counts from the time the last was due (CN-3)', () => {
  const due = at('2026-03-01T12:00:00Z');
  expect(cronBackoffMs('0 * * * *', due, at('2026-03-01T12:10:00Z'))).toBe(50 * 60_000);
});

it('missed ticks are skipped (CN-3)', () => {
  const due = at('2026-03-01T12:00:00Z');
  expect(cronBackoffMs('0 * * * *', due, at('2026-03-01T15:30:00Z'))).toBe(30 * 60_000);
  expect(cronBackoffMs('@every 1h', due, at('2026-03-01T15:30:00Z'))).toBe(30 * 60_000);
});

it('a tick that is due now is now (CN-3)', () => {
  const due = at('2026-03-01T12:00:00Z');
  expect(cronBackoffMs('0 * * * *', due, at('2026-03-01T13:00:00Z'))).toBe(0);
  expect(cronBackoffMs('@every 90s', due, due)).toBe(90_000);
});

it('the zone is UTC unless one is given (CN-3)', () => {
  const due = at('2026-07-01T00:00:00Z');
  expect(cronBackoffMs('0 9 * * *', due, due)).toBe(9 * 3_600_000);
  expect(cronBackoffMs('CRON_TZ=Europe/Berlin 0 9 * * *', due, due)).toBe(7 * 3_600_000);
});

it('what is no schedule, or never comes, is refused in Temporal’s words', () => {
  const now = at('2026-01-01T00:00:00Z');
  for (const text of [
    'nonsense',
    '* * * *',
    '* * * * * *',
    '@every x',
    'TZ=Nowhere/City 0 0 * * *',
  ]) {
    expect(validateCron(text, now)).toEqual({ ok: false, message: 'invalid CronSchedule.' });
  }
  expect(validateCron('0 0 31 2 *', now)).toMatchObject({ ok: false });
  for (const text of ['', '@daily', '*/5 * * * MON-FRI', '@every 1h30m']) {
    expect(validateCron(text, now)).toEqual({ ok: true });
  }
});
