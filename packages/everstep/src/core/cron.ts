/**
 * When a cron run comes next (CN-3): five fields, the `@daily` kind of names, `@every 90s`, and a leading
 * `CRON_TZ=` or `TZ=`; UTC without one. No clock is read: every question names its time.
 */
import { Cron } from 'croner';

export type CronAnswer = { readonly ok: true } | { readonly ok: false; readonly message: string };

type NextTime = (afterMs: number) => number | undefined;

const schedules = new Map<string, NextTime | undefined>();
const schedulesMax = 1_000;

/** Parsed schedules are kept: the same one is asked for at every tick. */
function scheduleOf(cronSchedule: string): NextTime | undefined {
  if (schedules.has(cronSchedule)) return schedules.get(cronSchedule);
  if (schedules.size >= schedulesMax) schedules.clear();
  const next = parse(cronSchedule.trim());
  schedules.set(cronSchedule, next);
  return next;
}

function parse(text: string): NextTime | undefined {
  const every = /^@every\s+(.+)$/.exec(text);
  if (every?.[1]) return everyOf(every[1]);
  const zone = /^(?:CRON_TZ|TZ)=(\S+)\s+(.+)$/.exec(text);
  const pattern = zone?.[2] ?? text;
  if (!pattern.startsWith('@') && pattern.split(/\s+/).length !== 5) return undefined;
  try {
    const cron = new Cron(pattern, { timezone: zone?.[1] ?? 'UTC', paused: true });
    // Asked once, so that a zone that does not exist is found here.
    cron.nextRun(new Date(0));
    return (afterMs) => cron.nextRun(new Date(afterMs))?.getTime();
  } catch {
    return undefined;
  }
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A Go duration such as `1h30m`; at least a second, as in the cron library Temporal uses. */
function everyOf(duration: string): NextTime | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(duration)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    ms += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  }
  const step = Math.max(1_000, Math.floor(ms / 1_000) * 1_000);
  return (afterMs) => afterMs + step;
}

/** In Temporal's words. */
export function validateCron(cronSchedule: string, now: number): CronAnswer {
  if (cronSchedule === '') return { ok: true };
  const next = scheduleOf(cronSchedule);
  if (!next) return { ok: false, message: 'invalid CronSchedule.' };
  return next(now) === undefined
    ? { ok: false, message: 'invalid CronSchedule, no time can be found to satisfy the schedule' }
    : { ok: true };
}

/**
 * How long from `now` until the next run, counted from the time the last was due, so that a tick is never run
 * twice and those that were missed are skipped. Undefined without a schedule or a next time.
 */
export function cronBackoffMs(
  cronSchedule: string,
  scheduledTime: number,
  now: number,
): number | undefined {
  if (cronSchedule === '') return undefined;
  const next = scheduleOf(cronSchedule);
  if (!next) return undefined;
  if (now < scheduledTime) return scheduledTime - now;
  let time = next(scheduledTime);
  // Far behind, each missed tick is not asked for one by one: the calendar is asked from now on.
  if (time !== undefined && time < now && !cronSchedule.startsWith('@every')) time = next(now - 1);
  if (time !== undefined && time < now) {
    const step = time - scheduledTime;
    time += Math.ceil((now - time) / step) * step;
  }
  return time === undefined ? undefined : time - now;
}
