/** A server on a SQLite file, until it is killed: `wire-server <file> <port>`. */
import { inspect } from 'node:util';
import { EverstepServer } from '../../src/component/everstep-server.ts';

const [, , path = '', port = ''] = process.argv;
const ignore = (): void => undefined;

const server = new EverstepServer({
  store: `sqlite:${path}`,
  host: '127.0.0.1',
  port: Number(port),
  namespaces: ['default'],
  retentionMs: 86_400_000,
  logger: {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (message, fields) => {
      process.stderr.write(`${message}: ${inspect(fields?.['error'])}\n`);
    },
  },
});
// The program is bundled as a script, which cannot wait at its top.
void server.start().then(() => process.stdout.write('ready\n'));
