/** The processes of the image: what the web process answers, and what it and the workers say of their health. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AsyncTaskComponent } from 'everstep';
import { expect, it, onTestFinished, vi } from 'vitest';
import { serveHealth } from '../src/health.ts';

async function addressOf(server: Server): Promise<string> {
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  if (!server.listening) await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('takes an order once, says how it is, and refuses what cannot be', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-web-'));
  vi.stubEnv('BOOK', join(folder, 'book.jsonl'));
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });
  // The book's path is read when the domain is loaded.
  const { webServer } = await import('../src/web-server.ts');
  const { pizzaWorkflow } = await import('../domains/pizza/workflow.ts');
  const { activities } = await import('../domains/pizza/index.ts');
  const component = new AsyncTaskComponent({ store: 'memory' });
  component.registerAll([pizzaWorkflow, ...activities]);
  await component.start();
  onTestFinished(() => component.stop());
  const home = await addressOf(webServer(component).listen(0, '127.0.0.1'));
  const order = { id: 'one', pizza: 'funghi', cents: 1200, address: 'Elm Street 1' };
  const post = async (body: string): Promise<number> =>
    (await fetch(`${home}/orders`, { method: 'POST', body })).status;

  expect(await post(JSON.stringify(order))).toBe(202);
  await component.getClient().workflow.getHandle('order-one').result();
  expect(await (await fetch(`${home}/orders/one`)).json()).toEqual({ status: 'COMPLETED' });
  expect(await post(JSON.stringify(order))).toBe(409);
  expect(await post(JSON.stringify({ ...order, id: 'two', cents: -5 }))).toBe(400);
  for (const body of [
    '{',
    'null',
    '"funghi"',
    JSON.stringify({ ...order, id: 'x'.repeat(10_000) }),
  ]) {
    expect(await post(body)).toBe(400);
  }
  expect((await fetch(`${home}/orders/two`)).status).toBe(404);
  expect((await fetch(`${home}/orders`)).status).toBe(404);
});

it('answers for its health only where a port is named', async () => {
  let isReady = false;
  const health = { live: () => true, ready: () => isReady };
  vi.stubEnv('HEALTH_PORT', undefined);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  expect(serveHealth(health)).toBeUndefined();
  vi.stubEnv('HEALTH_PORT', '0');
  const server = serveHealth(health);
  if (server === undefined) throw new Error('nothing listens');
  const home = await addressOf(server);
  const statusOf = async (path: string): Promise<number> => (await fetch(home + path)).status;

  expect([await statusOf('/live'), await statusOf('/ready'), await statusOf('/')]).toEqual([
    200, 503, 404,
  ]);
  isReady = true;
  expect(await statusOf('/ready')).toBe(200);
});
