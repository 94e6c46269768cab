/** PostgreSQL as it comes: fsync and synchronous_commit on, nothing tuned. */
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { freePort, startServer, type Server } from './server.ts';

/** Where Debian keeps the programs of each version, out of the PATH. */
const debianFolder = '/usr/lib/postgresql';

/** @throws Error when its programs are not on this machine, or it does not start. */
export async function startPostgres(parent: string): Promise<Server> {
  const programs = programFolder();
  const owner = ownerOfFiles();
  const data = join(parent, 'postgres');
  mkdirSync(data, { mode: 0o700 });
  if (owner.uid !== undefined && owner.gid !== undefined) {
    chownSync(parent, owner.uid, owner.gid);
    chownSync(data, owner.uid, owner.gid);
  }
  execFileSync(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...owner, cwd: parent, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    fsync: 'on',
    synchronous_commit: 'on',
  };
  return startServer({
    name: 'PostgreSQL',
    path: join(programs, 'postgres'),
    words: [
      '-D',
      data,
      ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ],
    cwd: data,
    ...owner,
    stopSignal: 'SIGINT',
    quitSignal: 'SIGQUIT',
    urls: { postgres: `postgresql://postgres@127.0.0.1:${port}/postgres` },
    isReady: async () => {
      execFileSync(join(programs, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)]);
      return true;
    },
  });
}

function programFolder(): string {
  const versions = existsSync(debianFolder) ? readdirSync(debianFolder) : [];
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...versions
      .toSorted((a, b) => Number(b) - Number(a))
      .map((version) => join(debianFolder, version, 'bin')),
  ];
  const found = folders.find((folder) =>
    ['initdb', 'postgres', 'pg_isready'].every((name) => existsSync(join(folder, name))),
  );
  if (found === undefined) throw new Error("PostgreSQL's programs are not on this machine");
  return found;
}

/** PostgreSQL refuses to run as root. */
function ownerOfFiles(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string): number =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}
