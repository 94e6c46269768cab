/** Names the place where a pid means something: this machine since its start, and this container in it. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export function hostId(): string {
  const parts = [
    hostname(),
    attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    attempt(() => readlinkSync('/proc/self/ns/pid')),
  ];
  return parts.filter((part) => part !== '').join('/');
}

/** Whether a process of this machine lives. One of another user answers EPERM, and lives. */
export function isPidAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Only Linux has these files. */
function attempt(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
