import { expect, it } from 'vitest';
import { resolveOptions, type AsyncTaskComponentOptions } from './component-options.ts';

const resolve = (options: object, env: Record<string, string> = {}) =>
  resolveOptions(options as AsyncTaskComponentOptions, env);

it('keeps tasks in a SQLite file of the working directory when nothing is said', () => {
  expect(resolve({})).toMatchObject({
    home: { store: 'sqlite:.everstep/everstep.db' },
    namespace: 'default',
    taskQueue: 'async-tasks',
    worker: true,
    concurrency: {},
  });
});

it('takes the build id from its option, else from the variable of workers', () => {
  const env = { TEMPORAL_WORKER_BUILD_ID: 'abc' };
  expect(resolve({}, env).buildId).toBe('abc');
  expect(resolve({ buildId: 'def' }, env).buildId).toBe('def');
  expect(resolve({}, {}).buildId).toBeUndefined();
});

it('takes namespace and queue from the variables of Temporal, after its own options', () => {
  const env = { TEMPORAL_NAMESPACE: 'shop', TEMPORAL_TASK_QUEUE: 'images' };
  expect(resolve({}, env)).toMatchObject({ namespace: 'shop', taskQueue: 'images' });
  expect(resolve({ taskQueue: 'mine' }, env)).toMatchObject({ taskQueue: 'mine' });
});

it('takes a server from its options and from the variables of Temporal, the options first', () => {
  const env = {
    TEMPORAL_ADDRESS: 'cloud:7233',
    TEMPORAL_API_KEY: 'theirs',
    TEMPORAL_TLS: 'true',
    TEMPORAL_NAMESPACE: 'shop',
  };
  expect(resolve({}, env)).toMatchObject({
    home: { server: { address: 'cloud:7233', apiKey: 'theirs' } },
    namespace: 'shop',
  });
  expect(resolve({ temporalAddress: '[::1]:1', apiKey: 'mine', tls: false }, env).home).toEqual({
    server: { address: '[::1]:1', apiKey: 'mine', tls: false },
  });
  expect(resolve({ temporalAddress: 'x:7233' }).home).toEqual({ server: { address: 'x:7233' } });
  const plain = { TEMPORAL_ADDRESS: 'x:7233', TEMPORAL_TLS: 'false' };
  expect(resolve({}, plain).home).toEqual({ server: { address: 'x:7233', tls: false } });
});

it('takes a data converter as it is', () => {
  const codec = { encode: async () => [], decode: async () => [] };
  for (const dataConverter of [
    {},
    { payloadCodecs: [codec] },
    { payloadConverterPath: './a.js' },
  ]) {
    expect(resolve({ dataConverter }).dataConverter).toBe(dataConverter);
  }
});

it('names the option, what was wrong and what is expected', () => {
  const cases: [object, Record<string, string>, string, string][] = [
    [
      { store: 'memory', temporalAddress: 'x:7233' },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'both store and temporalAddress are given',
    ],
    [
      { store: 'memory' },
      { TEMPORAL_ADDRESS: 'x:7233' },
      'COMPONENT_OPTIONS_INVALID',
      'TEMPORAL_ADDRESS',
    ],
    [
      { temporalAddress: 'http://x' },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'temporalAddress is "http://x"; expected host:port',
    ],
    [
      {},
      { TEMPORAL_ADDRESS: 'x' },
      'COMPONENT_OPTIONS_INVALID',
      'TEMPORAL_ADDRESS is "x"; expected host:port',
    ],
    [
      { temporalAddress: 'x:7233', tls: 'yes' },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'tls is "yes"; expected a boolean',
    ],
    [
      { temporalAddress: 'x:7233', apiKey: '' },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'apiKey is not usable; expected a string',
    ],
    [
      { temporalAddress: 'x:7233', apiKey: 'a\nb' },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'apiKey is not usable',
    ],
    [
      { temporalAddress: 'x:99999' },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'temporalAddress is "x:99999"; expected host:port',
    ],
    [
      { temporalAddress: 'x:7233', tls: { clientCertPair: 'pem' } },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'tls.clientCertPair is "pem"; expected { crt, key }',
    ],
    [
      { temporalAddress: 'x:7233', tls: { clientCertPair: { crt: Buffer.of(1) } } },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'tls.clientCertPair.key is undefined; expected the bytes of a PEM file',
    ],
    [
      { temporalAddress: 'x:7233', tls: { serverRootCACertificate: 'ca.pem' } },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'tls.serverRootCACertificate is "ca.pem"; expected the bytes of a PEM file',
    ],
    [
      { temporalAddress: 'x:7233' },
      { TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/no/such/file.pem' },
      'COMPONENT_OPTIONS_INVALID',
      '/no/such/file.pem',
    ],
    [{ apiKey: 'k' }, {}, 'COMPONENT_OPTIONS_INVALID', 'apiKey is given without temporalAddress'],
    [{ wroker: true }, {}, 'COMPONENT_OPTIONS_INVALID', 'there is no option wroker'],
    [{ worker: 'no' }, {}, 'COMPONENT_OPTIONS_INVALID', 'worker is "no"; expected a boolean'],
    [
      { searchAttributes: { Customer: 'String' } },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'searchAttributes.Customer is "String"; expected one of Text,',
    ],
    [{ namespace: '' }, {}, 'COMPONENT_OPTIONS_INVALID', 'namespace is ""; expected a string'],
    [{ buildId: '' }, {}, 'COMPONENT_OPTIONS_INVALID', 'buildId is ""; expected a string'],
    [
      { concurrency: 0 },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'concurrency is 0; expected a whole number',
    ],
    [{ concurrency: { steps: 1.5 } }, {}, 'COMPONENT_OPTIONS_INVALID', 'concurrency.steps is 1.5'],
    [
      { concurrency: { step: 1 } },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'there is no concurrency.step;',
    ],
    [
      { concurrency: 'many' },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'concurrency is "many"; expected a number',
    ],
    [
      { concurrency: new Date(0) },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'concurrency is an object; expected a number',
    ],
    [
      { searchAttributes: new Map() },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'searchAttributes is an object; expected { name: type }',
    ],
    [
      { dataConverter: 5 },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'dataConverter is 5; expected { payloadConverterPath, failureConverterPath, payloadCodecs }',
    ],
    [
      { dataConverter: { payloadConverterPath: 5 } },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'dataConverter.payloadConverterPath is 5; expected the path of a module',
    ],
    [
      { dataConverter: { payloadCodecs: {} } },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'dataConverter.payloadCodecs is an object; expected a list',
    ],
    [
      { dataConverter: { payloadCodecs: [{ encode: () => [] }] } },
      {},
      'COMPONENT_OPTIONS_INVALID',
      'dataConverter.payloadCodecs[0] has no methods encode and decode',
    ],
    [{ logger: {} }, {}, 'COMPONENT_OPTIONS_INVALID', 'logger has no method debug'],
  ];
  for (const [options, env, code, message] of cases) {
    let error: unknown;
    try {
      resolve(options, env);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toContain(message);
  }
});
