import { readdirSync, statSync } from 'node:fs';

/** Whether a process has that file open. Only Linux tells, and only of one's own user's processes: undefined. */
export function hasOpen(pid: number, path: string): boolean | undefined {
  if (process.platform !== 'linux') return undefined;
  const folder = `/proc/${pid}/fd`;
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return readdirSync(folder).some((name) => {
      // It may be closed by now, and what a link leads to may not be a file.
      const stat = statSync(`${folder}/${name}`, { bigint: true, throwIfNoEntry: false });
      return stat?.dev === dev && stat.ino === ino;
    });
  } catch {
    return undefined;
  }
}
