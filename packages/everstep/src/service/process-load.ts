/** How much of the machine this process uses, as shares. */
import { totalmem } from 'node:os';

export interface Load {
  /** CPU time since the last look, of one core: the code of steps has one thread. */
  readonly cpu: number;
  /** Resident memory, of what the process may have: a container's limit, or the machine's memory. */
  readonly memory: number;
}

/** Looks at this process; each call tells of the time since the one before. */
export function processLoad(): () => Load {
  let usage = process.cpuUsage();
  let at = process.hrtime.bigint();
  return () => {
    const spent = process.cpuUsage(usage);
    const now = process.hrtime.bigint();
    const elapsedUs = Number(now - at) / 1_000;
    usage = process.cpuUsage();
    at = now;
    const limit = Math.min(process.constrainedMemory() || Infinity, totalmem());
    return {
      cpu: elapsedUs > 0 ? (spent.user + spent.system) / elapsedUs : 0,
      memory: process.memoryUsage.rss() / limit,
    };
  };
}
