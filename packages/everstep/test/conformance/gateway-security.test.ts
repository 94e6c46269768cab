/** TLS, mutual TLS and API keys, as official clients use them. */
import { createHash } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EverstepServer } from '../../src/component/everstep-server.ts';
import { WorkerManager } from '../../src/index.ts';
import { Certificates } from '../certificates.ts';
import { silent } from '../tasks/running-component.ts';
import { writtenFolder } from '../written-folder.ts';
import { startServer } from './gateway-host.ts';

let certificates: Certificates;
const file = (name: string): Buffer => certificates.file(name);
const clientOf = (name: string) => certificates.clientOf(name);
const hash = (key: string): string => createHash('sha256').update(key).digest('hex');

beforeAll(() => {
  certificates = new Certificates();
});

afterAll(() => {
  certificates.remove();
});

async function described(address: string, options: object): Promise<unknown> {
  const connection = await Connection.connect({ address, connectTimeout: 3_000, ...options });
  try {
    const { workflowService } = connection;
    const { namespaceInfo } = await workflowService.describeNamespace({ namespace: 'default' });
    return namespaceInfo?.name;
  } finally {
    await connection.close();
  }
}

it('encrypts, and lets in with mutual TLS only whom its authority has signed', async () => {
  const tls = {
    certificate: file('server.crt'),
    key: file('server.key'),
    clientCa: file('ca.crt'),
  };
  const { address, stop } = await startServer({ tls });
  try {
    expect(await described(address, clientOf('worker-1'))).toBe('default');
    await expect(described(address, clientOf('stranger'))).rejects.toThrow(/./);
    const noCertificate = { tls: { serverRootCACertificate: file('ca.crt') } };
    await expect(described(address, noCertificate)).rejects.toThrow(/./);
    await expect(described(address, {})).rejects.toThrow(/./);
  } finally {
    await stop();
  }
}, 60_000);

it('knows callers by their key and by their certificate, and holds them to their roles', async () => {
  const tls = {
    certificate: file('server.crt'),
    key: file('server.key'),
    clientCa: file('ca.crt'),
  };
  const apiKeys = JSON.stringify({
    keys: [
      { name: 'reader', sha256: hash('r-key'), roles: { default: ['read'] } },
      { name: 'writer', sha256: hash('w-key'), roles: { default: ['write'] } },
      { name: 'machine', commonName: 'worker-1', roles: { default: ['worker'] } },
    ],
  });
  const { address, stop } = await startServer({ tls, apiKeys });
  const connect = (apiKey?: string) =>
    Connection.connect({ address, ...clientOf('worker-1'), ...(apiKey && { apiKey }) });
  const start = async (connection: Connection): Promise<string> => {
    const options = { workflowId: 'a', taskQueue: 'q' };
    const handle = await new Client({ connection }).workflow.start('Order', options);
    return handle.workflowId;
  };
  try {
    const [reader, writer, machine] = await Promise.all([
      connect('r-key'),
      connect('w-key'),
      connect(),
    ]);
    await expect(start(reader)).rejects.toMatchObject({ cause: { code: 7 } });
    expect(await start(writer)).toBe('a');
    await expect(start(machine)).rejects.toMatchObject({ cause: { code: 7 } });
    const poll = { namespace: 'default', taskQueue: { name: 'q' } };
    await expect(writer.workflowService.pollWorkflowTaskQueue(poll)).rejects.toMatchObject({
      code: 7,
      details: 'Request unauthorized.',
    });
    const task = await machine.workflowService.pollWorkflowTaskQueue(poll);
    expect(task.workflowExecution?.workflowId).toBe('a');
    const stranger = Connection.lazy({ address, ...clientOf('worker-1'), apiKey: 'wrong' });
    await expect(stranger.workflowService.getSystemInfo({})).rejects.toThrow('unauthorized');
    for (const connection of [reader, writer, machine, stranger]) await connection.close();
  } finally {
    await stop();
  }
}, 60_000);

it('lets in a manager and the processes of its integrations, by their certificate and key', async () => {
  const tls = {
    certificate: file('server.crt'),
    key: file('server.key'),
    clientCa: file('ca.crt'),
  };
  const roles = { default: ['read', 'write', 'worker'] };
  const apiKeys = JSON.stringify({ keys: [{ name: 'app', sha256: hash('a-key'), roles }] });
  const { address, stop } = await startServer({ tls, apiKeys });
  const source = new URL('../../src/index.ts', import.meta.url).href;
  const integrations = writtenFolder({
    // It keeps no task of another from running, also where one process must run those of all.
    'exits/index.mjs': 'process.exit(3);',
    'shared/index.mjs': `import { AsyncTask } from '${source}';
      export const createAsyncTasks = () => [
        new AsyncTask({ name: 'where', task: async () => process.pid }),
        new AsyncTask({ name: 'apart', taskQueue: 'apart', task: async () => process.pid }),
      ];`,
  });
  const options = {
    temporalAddress: address,
    ...clientOf('worker-1'),
    isolation: 'process',
    execArgv: ['--import', import.meta.resolve('tsx')],
    logger: silent,
    gracePeriod: 0,
  } as const;
  const stranger = new WorkerManager({ ...options, apiKey: 'wrong' });
  const manager = new WorkerManager({ ...options, apiKey: 'a-key' });
  try {
    await expect(stranger.connect()).rejects.toMatchObject({ code: 'SERVER_REFUSED' });
    await manager.create(integrations);
    await manager.start();
    const run = (name: string, taskQueue: string): Promise<unknown> =>
      manager
        .getClient()
        .workflow.execute(`asyncTask_${name}`, { taskQueue, workflowId: name, args: [] });
    const pids = [await run('where', 'async-tasks'), await run('apart', 'apart')];
    const [exits, ...others] = manager.status();
    expect(exits).toMatchObject({
      name: 'exits',
      lastError: expect.stringContaining('ended with code 3') as string,
    });
    expect(others).toMatchObject([
      { name: 'shared', taskQueue: 'apart', state: 'running', pid: pids[1] },
      { name: 'async-tasks', taskQueue: 'async-tasks', state: 'running', pid: pids[0] },
    ]);
    expect(new Set([...pids, process.pid]).size).toBe(3);
  } finally {
    await Promise.all([manager.stop(), stranger.stop()]);
    await stop();
  }
}, 120_000);

it('says at the start when a certificate and a key do not belong together', async () => {
  const server = new EverstepServer({
    store: 'memory',
    host: '127.0.0.1',
    port: 0,
    namespaces: ['default'],
    retentionMs: 86_400_000,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    tls: { certificate: file('server.crt'), key: file('worker-1.key') },
  });
  await expect(server.start()).rejects.toMatchObject({ code: 'GATEWAY_TLS' });
});
