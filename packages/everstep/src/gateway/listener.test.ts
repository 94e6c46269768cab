import { lookup } from 'node:dns/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { Connection } from '@temporalio/client';
import { expect, it, onTestFinished } from 'vitest';
import { EverstepServer } from '../component/everstep-server.ts';
import { Listener } from './listener.ts';

const host = '127.0.0.1';

async function listening(): Promise<{ readonly listener: Listener; readonly port: number }> {
  const listener = new Listener(host, 0);
  onTestFinished(() => {
    listener.close();
  });
  return { listener, port: await listener.listen() };
}

function nothing(): void {}

it('lets clients in before there is a server, and they are answered when it is there', async () => {
  const { listener, port } = await listening();
  const connecting = Connection.connect({ address: `${host}:${port}`, connectTimeout: '60s' });
  const gone = connect(port, host);
  await once(gone, 'connect');
  gone.resetAndDestroy();
  const server = new EverstepServer({
    store: 'memory',
    host,
    port: 0,
    listener,
    namespaces: ['default'],
    retentionMs: 86_400_000,
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  });
  expect(await server.start()).toBe(port);
  const connection = await connecting;
  const { namespaces } = await connection.workflowService.listNamespaces({});
  expect(namespaces.map(({ namespaceInfo }) => namespaceInfo?.name)).toContain('default');
  await connection.close();
  await server.stop();
  await expect(once(connect(port, host), 'connect')).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  });
});

it('hands over what came before and what comes after', async () => {
  const { listener, port } = await listening();
  const clients = [connect(port, host), connect(port, host)];
  for (const client of clients) await once(client, 'connect');
  const taken: Socket[] = [];
  const all = new Promise<void>((resolve) => {
    listener.serve((connection) => {
      taken.push(connection);
      if (taken.length === 3) resolve();
    });
  });
  clients.push(connect(port, host));
  await all;
  const ports = clients.map((client) => (client.address() as AddressInfo).port);
  expect(taken.map(({ remotePort }) => remotePort)).toEqual(ports);
  for (const socket of [...clients, ...taken]) socket.destroy();
});

it('ends those that wait when it is closed', async () => {
  const { listener, port } = await listening();
  const waits = connect(port, host);
  await once(waits, 'connect');
  const ended = new Promise((resolve) => {
    waits.on('error', nothing).once('close', resolve);
  });
  listener.close();
  await ended;
  expect(waits.destroyed).toBe(true);
});

it('says which address it could not have, and why', async () => {
  const other = createServer();
  other.listen(0, host);
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  await expect(new Listener(host, port).listen()).rejects.toMatchObject({
    code: 'GATEWAY_ADDRESS',
    message: expect.stringMatching(`cannot listen on ${host}:${port}: .*EADDRINUSE`) as string,
  });
  other.close();
  await expect(new Listener('no-such-host.invalid', 0).listen()).rejects.toMatchObject({
    code: 'GATEWAY_ADDRESS',
  });
});

it('listens on each address that a name has on this machine, at one port', async () => {
  const listener = new Listener('localhost', 0);
  onTestFinished(() => {
    listener.close();
  });
  const port = await listener.listen();
  const addresses = await lookup('localhost', { all: true });
  const answers = await Promise.all(
    addresses.map(async ({ address }) => {
      const socket = connect(port, address);
      const error = await once(socket, 'connect').then(
        () => undefined,
        (cause: NodeJS.ErrnoException) => cause.code,
      );
      socket.destroy();
      return error;
    }),
  );
  expect(answers).toContain(undefined);
  expect(answers).not.toContain('ECONNREFUSED');
});
