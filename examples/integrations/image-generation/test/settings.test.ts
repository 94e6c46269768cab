import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readSettings } from '../src/settings.ts';

/** A configuration file with that content. */
function fileOf(content: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-settings-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'app.config.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const temporal = (value: unknown) => fileOf({ middlewareDependencies: { temporal: value } });

it('without an endpoint, tasks live in a SQLite file, and the web process is on port 3000', () => {
  expect(readSettings({ DATA_FOLDER: '/data' })).toMatchObject({
    port: 3000,
    engine: {
      store: 'sqlite:/data/everstep.db',
      namespace: 'default',
      taskQueue: 'async-tasks',
    },
    webUiUrl: undefined,
    webUrl: 'http://127.0.0.1:3000',
  });
});

it('the file says where tasks live, how they are named there, and where people look at them', () => {
  const CONFIG_FILE = temporal({
    endpoint: 'grpc://temporal.local:7233',
    config: { namespace: 'images', taskQueue: 'image-tasks', webUIPort: 8080 },
  });
  const { engine, webUiUrl } = readSettings({ CONFIG_FILE });
  expect(engine).toEqual({
    temporalAddress: 'temporal.local:7233',
    namespace: 'images',
    taskQueue: 'image-tasks',
  });
  expect(webUiUrl?.('image-1')).toBe(
    'http://temporal.local:8080/namespaces/images/workflows/image-1',
  );
});

it('the environment is laid over the file', () => {
  const CONFIG_FILE = temporal({ endpoint: 'a:1', config: { namespace: 'n', taskQueue: 'q' } });
  const { port, engine, webUiUrl } = readSettings({
    CONFIG_FILE,
    PORT: '0',
    TEMPORAL_ADDRESS: 'b:2',
    TEMPORAL_NAMESPACE: 'other',
    TEMPORAL_TASK_QUEUE: 'others',
    TEMPORAL_UI_PORT: '9000',
  });
  expect({ port, engine }).toEqual({
    port: 0,
    engine: { temporalAddress: 'b:2', namespace: 'other', taskQueue: 'others' },
  });
  expect(webUiUrl?.('x')).toBe('http://b:9000/namespaces/other/workflows/x');
});

it.each([
  [{ endpoint: 7233 }, 'middlewareDependencies.temporal.endpoint is 7233; expected host:port'],
  [{ endpoint: 'x' }, 'middlewareDependencies.temporal.endpoint is "x"; expected host:port'],
  [{ endpoint: 'http://x:1' }, 'endpoint is "http://x:1"; expected host:port'],
  [{ endpoint: 'x:70000' }, 'endpoint is "x:70000"; expected host:port'],
  [{ config: 'x' }, 'middlewareDependencies.temporal.config is "x"; expected an object'],
  [{ config: { namespace: '' } }, 'temporal.config.namespace is ""; expected a name'],
  [{ config: { taskQueue: ['a'] } }, 'temporal.config.taskQueue is ["a"]; expected a name'],
  [
    { config: { webUIPort: '8080' } },
    'temporal.config.webUIPort is "8080"; expected a whole number from 1 to 65535',
  ],
  [{ config: { webUIPort: 0 } }, 'temporal.config.webUIPort is 0; expected a whole number'],
  [null, 'middlewareDependencies.temporal is null; expected an object'],
])('%j is refused by the name of its field', (value, message) => {
  const CONFIG_FILE = temporal(value);
  expect(() => readSettings({ CONFIG_FILE })).toThrow(`${CONFIG_FILE}: `);
  expect(() => readSettings({ CONFIG_FILE })).toThrow(message);
});

it.each([
  [{ PORT: '99999' }, 'PORT is "99999"; expected a whole number from 0 to 65535'],
  [{ PORT: '3e3' }, 'PORT is "3e3"; expected a whole number'],
  [{ TEMPORAL_ADDRESS: 'x' }, 'TEMPORAL_ADDRESS is "x"; expected host:port'],
  [{ TEMPORAL_NAMESPACE: 'a b' }, 'TEMPORAL_NAMESPACE is "a b"; expected a name'],
  [{ IMAGE_PROVIDER_URL: 'ftp://x' }, 'IMAGE_PROVIDER_URL is "ftp://x"; expected a URL'],
])('%j is refused by the name of the variable', (env, message) => {
  expect(() => readSettings(env)).toThrow(message);
});

it('a file that is missing, or is not JSON, is refused by its path', () => {
  expect(() => readSettings({ CONFIG_FILE: '/nowhere.json' })).toThrow(
    '/nowhere.json cannot be read',
  );
  const CONFIG_FILE = fileOf('{');
  expect(() => readSettings({ CONFIG_FILE })).toThrow(`${CONFIG_FILE} cannot be read`);
  const list = fileOf([]);
  expect(() => readSettings({ CONFIG_FILE: list })).toThrow('the file is []; expected an object');
});
