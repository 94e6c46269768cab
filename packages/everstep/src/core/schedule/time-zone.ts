/**
 * Time zones by `Intl`: how far a zone's clocks are from UTC at an instant, and when that changes. Pure but for the
 * zone tables of the JavaScript engine; no clock is read.
 */

/** A zone's clocks never differ by more than that from one another; also the span in which no two changes fall. */
export const zoneSpanMs = 2 * 86_400_000;

export interface TimeZone {
  /** Local minus UTC, in milliseconds. */
  offsetAt(ms: number): number;
  /** The first instant in (from, to] with another offset than at `from`; the two are at most `zoneSpanMs` apart. */
  changeWithin(from: number, to: number): number | undefined;
}

const utc: TimeZone = { offsetAt: () => 0, changeWithin: () => undefined };

const zones = new Map<string, TimeZone>();
const zonesMax = 1_000;

/** Undefined for a name that the zone tables do not have. '' and 'UTC' are UTC. */
export function timeZoneOf(name: string): TimeZone | undefined {
  if (name === '' || name === 'UTC') return utc;
  const known = zones.get(name);
  if (known) return known;
  // Intl also takes offsets such as +01:00, which are no names of zones.
  if (!/^[A-Za-z]/.test(name)) return undefined;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return undefined;
  }
  const zone = zoneOver(format);
  if (zones.size >= zonesMax) zones.clear();
  zones.set(name, zone);
  return zone;
}

function zoneOver(format: Intl.DateTimeFormat): TimeZone {
  const offsetAt = (ms: number): number => {
    const second = Math.floor(ms / 1_000) * 1_000;
    const field: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(second)) field[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = field;
    return Date.UTC(year, month - 1, day, hour, minute, field['second'] ?? 0) - second;
  };
  return {
    offsetAt,
    changeWithin(from, to) {
      const before = offsetAt(from);
      if (to <= from || offsetAt(to) === before) return undefined;
      let low = Math.floor(from / 1_000);
      let high = Math.ceil(to / 1_000);
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (offsetAt(middle * 1_000) === before) low = middle;
        else high = middle;
      }
      return high * 1_000;
    },
  };
}
