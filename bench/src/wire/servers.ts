/** The servers that are compared: Everstep's own, and Temporal's development server where it is installed. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startServer, type Server } from '../peers/servers/server.ts';

export interface WireServer {
  readonly title: string;
  /** @throws Error when it cannot be had on this machine, or does not start. */
  readonly start: (folder: string) => Promise<Server>;
}

export const everstepServer: WireServer = {
  title: 'Everstep',
  start: (folder) =>
    started('Everstep', process.execPath, folder, (port) => [
      // So that a profile is of the server as well.
      ...process.execArgv.filter((option) => option.startsWith('--cpu-prof')),
      fileURLToPath(new URL('cli/main.js', import.meta.resolve('everstep'))),
      ...startDev(port, join(folder, 'everstep.db')),
      '--log-level',
      'error',
    ]),
};

export const temporalServer: WireServer = {
  title: "Temporal's development server",
  start: (folder) =>
    started('temporal', temporalProgram(), folder, (port) => [
      ...startDev(port, join(folder, 'temporal.db')),
      '--log-level',
      'never',
      // As durable as the other: its default does not wait for the disk at each commit.
      '--sqlite-pragma',
      'journal_mode=wal',
      '--sqlite-pragma',
      'synchronous=2',
    ]),
};

/** The flags that both have. */
function startDev(port: number, file: string): string[] {
  const address = ['--ip', '127.0.0.1', '--port', String(port)];
  return ['server', 'start-dev', ...address, '--headless', '--db-filename', file];
}

async function started(
  name: string,
  path: string,
  folder: string,
  words: (port: number) => readonly string[],
): Promise<Server> {
  const port = await freePort();
  return startServer({
    name,
    path,
    words: words(port),
    cwd: folder,
    stopSignal: 'SIGTERM',
    quitSignal: 'SIGKILL',
    urls: { address: `127.0.0.1:${port}` },
    isReady: () => answers(port),
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** On the PATH, or where `go install` puts it. */
function temporalProgram(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  folders.push(join(process.env['GOPATH'] ?? join(homedir(), 'go'), 'bin'));
  const path = folders.map((folder) => join(folder, 'temporal')).find((file) => existsSync(file));
  if (path === undefined) {
    throw new Error(
      'no program named temporal; go install github.com/temporalio/cli/cmd/temporal@v1.5.1',
    );
  }
  execFileSync(path, ['--version'], { stdio: 'ignore' });
  return path;
}
