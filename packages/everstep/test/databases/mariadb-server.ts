/**
 * A MariaDB of its own for tests: started where its programs are installed, on a free port of the loopback interface,
 * gone with its folder.
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { freePort } from '../free-port.ts';
import { serverOwner } from './server-owner.ts';

const startMsMax = 60_000;
const endMsMax = 30_000;

export interface MariaDbServerOptions {
  /** What is acknowledged survives the loss of power; by default it does not, and tests are quick. */
  readonly durable?: boolean;
  /** More options of the server. */
  readonly settings?: readonly string[];
  /** Where it is made, as a folder that goes with it: by default among those of the machine's that are temporary. */
  readonly folder?: string;
}

interface Programs {
  readonly server: string;
  readonly install: string;
}

/** Where they are installed. */
export function mariaDbPrograms(): Programs | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin'];
  const found = (name: string): string | undefined =>
    folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  const server = found('mariadbd');
  const install = found('mariadb-install-db');
  return server === undefined || install === undefined ? undefined : { server, install };
}

export class MariaDbServer {
  readonly port: number;
  readonly folder: string;
  readonly #settings: readonly string[];

  private constructor(folder: string, port: number, settings: readonly string[]) {
    this.folder = folder;
    this.port = port;
    this.#settings = settings;
  }

  /** @throws where its programs are not installed. */
  static async start({
    durable = false,
    settings = [],
    folder: parent = tmpdir(),
  }: MariaDbServerOptions = {}): Promise<MariaDbServer> {
    const programs = mariaDbPrograms();
    if (programs === undefined) throw new TypeError('MariaDB is not installed here.');
    const folder = mkdtempSync(join(parent, 'everstep-mariadb-'));
    const server = new MariaDbServer(folder, await freePort(), [
      ...(durable ? [] : ['--innodb-flush-log-at-trx-commit=0', '--innodb-flush-method=nosync']),
      ...settings,
    ]);
    const { uid, gid } = serverOwner('mysql');
    mkdirSync(server.#data);
    for (const path of [folder, server.#data]) chownSync(path, uid, gid);
    execFileSync(
      programs.install,
      [
        '--no-defaults',
        `--datadir=${server.#data}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
        '--skip-name-resolve',
      ],
      { uid, gid, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    writeFileSync(
      join(folder, 'users.sql'),
      `CREATE USER IF NOT EXISTS everstep@'127.0.0.1' IDENTIFIED BY 'everstep';
GRANT ALL ON *.* TO everstep@'127.0.0.1' WITH GRANT OPTION;
`,
    );
    await server.begin();
    return server;
  }

  /** The one that was started in that folder, perhaps by another process. */
  static at(folder: string): MariaDbServer {
    return new MariaDbServer(folder, 0, []);
  }

  /** `query` begins with a `?`. */
  url(database: string, query = '', user = 'everstep:everstep'): string {
    return `mysql://${user}@127.0.0.1:${this.port}/${database}${query}`;
  }

  /** Starts it again after `end`. */
  async begin(): Promise<void> {
    const log = openSync(join(this.folder, 'log'), 'a');
    const child = spawn(
      mariaDbPrograms()?.server ?? '',
      [
        '--no-defaults',
        `--datadir=${this.#data}`,
        `--port=${this.port}`,
        '--bind-address=127.0.0.1',
        `--socket=${join(this.folder, 'socket')}`,
        `--pid-file=${this.#pidFile}`,
        `--init-file=${join(this.folder, 'users.sql')}`,
        '--skip-log-bin',
        '--skip-name-resolve',
        '--max-connections=300',
        ...this.#settings,
      ],
      { ...serverOwner('mysql'), cwd: this.folder, detached: true, stdio: ['ignore', log, log] },
    );
    let ended = false;
    child.once('exit', () => {
      ended = true;
    });
    child.unref();
    for (let waited = 0; !(await this.#answers()); waited += 50) {
      if (ended || waited > startMsMax) {
        throw new TypeError(
          `MariaDB did not start: ${readFileSync(join(this.folder, 'log'), 'utf8')}`,
        );
      }
      await setTimeout(50);
    }
  }

  /** `SIGKILL` is as if its power had gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (!existsSync(this.#pidFile)) return;
    const { pid } = this;
    for (let waited = 0; isAlive(pid, waited === 0 ? signal : 0); waited += 20) {
      if (waited > endMsMax) throw new TypeError(`MariaDB (${pid}) did not end.`);
      await setTimeout(20);
    }
    rmSync(this.#pidFile, { force: true });
  }

  async remove(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  get pid(): number {
    return Number(readFileSync(this.#pidFile, 'utf8'));
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  get #pidFile(): string {
    return join(this.folder, 'pid');
  }

  async #answers(): Promise<boolean> {
    try {
      const connection = await mysql.createConnection(this.url(''));
      await connection.end();
      return true;
    } catch {
      return false;
    }
  }
}

function isAlive(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
