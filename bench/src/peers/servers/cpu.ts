/** CPU time of a server and of the processes that it starts, as Linux counts it. */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ, which has been 100 on every Linux for long. */
const msPerTick = 10;

/** Undefined where there is no /proc. */
export function serverCpuMs(pid: number): number | undefined {
  const server = ticksOf(String(pid));
  if (server === undefined) return undefined;
  let ticks = server.own + server.reaped;
  for (const name of readdirSync('/proc')) {
    const other = /^\d+$/.test(name) ? ticksOf(name) : undefined;
    if (other?.parent === pid) ticks += other.own + other.reaped;
  }
  return ticks * msPerTick;
}

function ticksOf(
  pid: string,
): { readonly parent: number; readonly own: number; readonly reaped: number } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // proc(5): after the name in parentheses come the state and the parent; utime … cstime are fields 14 to 17.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [parent = 0] = fields.slice(1);
  const [user = 0, system = 0, reapedUser = 0, reapedSystem = 0] = fields.slice(11);
  return { parent, own: user + system, reaped: reapedUser + reapedSystem };
}
