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

/** Only Linux has these files. */
function attempt(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
