/** Mutual TLS before a server that speaks none. */
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import type { Certificates } from './certificates.ts';

export async function startTlsProxy(
  certificates: Certificates,
  address: string,
): Promise<{ readonly port: number; readonly stop: () => Promise<void> }> {
  const [host, port] = address.split(':');
  const open = new Set<{ destroy(): unknown }>();
  const server = createServer(
    {
      key: certificates.file('server.key'),
      cert: certificates.file('server.crt'),
      ca: certificates.file('ca.crt'),
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ['h2'],
    },
    (client) => {
      const behind = connect(Number(port), host);
      for (const [one, other] of [
        [client, behind],
        [behind, client],
      ] as const) {
        open.add(one);
        one.on('error', () => one.destroy());
        one.once('close', () => {
          open.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    },
  );
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    server.close();
    for (const one of open) one.destroy();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, stop };
}
