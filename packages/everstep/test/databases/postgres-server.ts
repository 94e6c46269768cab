/**
 * A PostgreSQL of its own for tests: started where its programs are installed, on a free port of the loopback
 * interface, gone with its folder.
 */
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../free-port.ts';
import { serverOwner } from './server-owner.ts';

export interface PostgresServerOptions {
  /** What is acknowledged survives the loss of power; by default it does not, and tests are quick. */
  readonly durable?: boolean;
  /** More lines of postgresql.conf. */
  readonly settings?: readonly string[];
  /** Where it is made, as a folder that goes with it: by default among those of the machine's that are temporary. */
  readonly folder?: string;
}

/** The folder of initdb and postgres, where they are installed. */
export function postgresPrograms(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian)
    ? readdirSync(debian).sort((a, b) => Number(b) - Number(a))
    : [];
  return [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ].find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'pg_ctl')));
}

export class PostgresServer {
  readonly port: number;
  readonly folder: string;
  readonly #programs: string;

  private constructor(programs: string, folder: string, port: number) {
    this.#programs = programs;
    this.folder = folder;
    this.port = port;
  }

  /** @throws where its programs are not installed. */
  static async start({
    durable = false,
    settings = [],
    folder: parent = tmpdir(),
  }: PostgresServerOptions = {}): Promise<PostgresServer> {
    const programs = postgresPrograms();
    if (programs === undefined) throw new TypeError('PostgreSQL is not installed here.');
    const folder = mkdtempSync(join(parent, 'everstep-pg-'));
    const server = new PostgresServer(programs, folder, await freePort());
    const { uid, gid } = serverOwner('postgres');
    mkdirSync(server.#data);
    for (const path of [folder, server.#data]) chownSync(path, uid, gid);
    server.#run('initdb', [
      '-D',
      server.#data,
      '-U',
      'everstep',
      '--auth=trust',
      '--no-sync',
      '--encoding=UTF8',
      '--no-locale',
    ]);
    writeFileSync(
      join(server.#data, 'postgresql.auto.conf'),
      [
        `listen_addresses = '127.0.0.1'`,
        `port = ${server.port}`,
        `unix_socket_directories = '${folder}'`,
        'max_connections = 200',
        'log_min_messages = warning',
        ...(durable ? [] : ['fsync = off', 'full_page_writes = off', 'synchronous_commit = on']),
        ...settings,
        '',
      ].join('\n'),
    );
    writeFileSync(
      join(server.#data, 'pg_hba.conf'),
      [
        'local all all trust',
        'host all with_password 127.0.0.1/32 scram-sha-256',
        'host all all 127.0.0.1/32 trust',
        '',
      ].join('\n'),
    );
    server.begin();
    return server;
  }

  /** The one that was started in that folder, perhaps by another process. */
  static at(folder: string): PostgresServer {
    return new PostgresServer(postgresPrograms() ?? '', folder, 0);
  }

  /** `query` begins with a `?`. */
  url(query = '', user = 'everstep'): string {
    return `postgres://${user}@127.0.0.1:${this.port}/postgres${query}`;
  }

  /** Starts it again after `end`. */
  begin(): void {
    this.#run('pg_ctl', ['-D', this.#data, '-w', '-l', join(this.folder, 'log'), 'start']);
  }

  /** `immediate` is as if its power had gone. */
  end(mode: 'fast' | 'immediate' = 'fast'): void {
    this.#run('pg_ctl', ['-D', this.#data, '-w', '-m', mode, 'stop']);
  }

  remove(): void {
    try {
      this.end('immediate');
    } catch {
      // It was not running.
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Of the process that all others of it come from. */
  get pid(): number {
    return Number(readFileSync(join(this.#data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  #run(program: string, args: readonly string[]): void {
    execFileSync(join(this.#programs, program), args, {
      ...serverOwner('postgres'),
      cwd: this.folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }
}
