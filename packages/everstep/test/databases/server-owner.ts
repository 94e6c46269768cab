import { execFileSync } from 'node:child_process';

/** Who a database server runs as: they refuse to run for root, which their packages have made a user for. */
export function serverOwner(user: string): { readonly uid: number; readonly gid: number } {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) return { uid, gid: process.getgid?.() ?? 0 };
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
