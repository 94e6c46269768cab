/** What raw gRPC shows: encodings, limits, errors and their details, deadlines, and calls that are let go. */
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import proto from '@temporalio/proto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { connect } from 'node:http2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGateway, type GatewayHost } from './gateway-host.ts';

const { workflowservice, errordetails, enums } = proto.temporal.api;
const v1 = workflowservice.v1;
const workflowService = 'temporal.api.workflowservice.v1.WorkflowService';
let host: GatewayHost;
let raw: Client;

beforeAll(async () => {
  host = await startGateway();
  raw = new Client(host.address, credentials.createInsecure());
});

afterAll(async () => {
  raw.close();
  await host.stop();
});

interface Answer {
  readonly bytes?: Buffer;
  readonly error?: ServiceError;
  readonly ms: number;
}

function call(
  path: string,
  bytes: Uint8Array,
  options: { deadline?: number; abortAfterMs?: number } = {},
): Promise<Answer> {
  const before = Date.now();
  return new Promise((resolve) => {
    const running = raw.makeUnaryRequest(
      `/${path}`,
      (value: Buffer) => value,
      (value: Buffer) => value,
      Buffer.from(bytes),
      new Metadata(),
      { deadline: options.deadline ?? Infinity },
      (error, reply) =>
        resolve({
          ms: Date.now() - before,
          ...(error ? { error } : {}),
          ...(reply ? { bytes: reply } : {}),
        }),
    );
    if (options.abortAfterMs !== undefined)
      setTimeout(() => running.cancel(), options.abortAfterMs);
  });
}

const describeCall = (bytes: Uint8Array): Promise<Answer> =>
  call(`${workflowService}/DescribeWorkflowExecution`, bytes);

function detailOf(error: ServiceError | undefined): { type: string; value: Uint8Array } {
  const [bytes] = error?.metadata.get('grpc-status-details-bin') ?? [];
  const status = proto.google.rpc.Status.decode(bytes as Buffer);
  expect(status.code).toBe(error?.code);
  const [detail] = status.details;
  return { type: detail?.type_url?.split('/')[1] ?? '', value: detail?.value ?? new Uint8Array() };
}

it('answers the health service by name', async () => {
  const { HealthCheckRequest, HealthCheckResponse } = proto.grpc.health.v1;
  const check = (service: string): Promise<Answer> =>
    call('grpc.health.v1.Health/Check', HealthCheckRequest.encode({ service }).finish());
  for (const service of ['', workflowService]) {
    const { bytes } = await check(service);
    expect(HealthCheckResponse.decode(bytes ?? Buffer.alloc(0)).status).toBe(
      HealthCheckResponse.ServingStatus.SERVING,
    );
  }
  expect((await check('nothing')).error?.code).toBe(5);
});

it('answers UNIMPLEMENTED for calls that are not built, and for those nobody knows', async () => {
  for (const path of [
    `${workflowService}/PollNexusTaskQueue`,
    'temporal.api.operatorservice.v1.OperatorService/CreateNexusEndpoint',
    'temporal.api.testservice.v1.TestService/Sleep',
    `${workflowService}/NoSuchCall`,
  ]) {
    expect((await call(path, new Uint8Array())).error?.code).toBe(12);
  }
});

it('packs the detail of an error as google.rpc.Status (section 15)', async () => {
  const { error } = await describeCall(
    v1.DescribeWorkflowExecutionRequest.encode({ namespace: 'nowhere' }).finish(),
  );
  expect(error?.code).toBe(5);
  const { type, value } = detailOf(error);
  expect(type).toBe('temporal.api.errordetails.v1.NamespaceNotFoundFailure');
  expect(errordetails.v1.NamespaceNotFoundFailure.decode(value).namespace).toBe('nowhere');
});

it('tells who starts a running workflow again of its run', async () => {
  const request = v1.StartWorkflowExecutionRequest.encode({
    namespace: 'default',
    workflowId: 'taken',
    workflowType: { name: 'Order' },
    taskQueue: { name: 'orders' },
  }).finish();
  const path = `${workflowService}/StartWorkflowExecution`;
  const first = v1.StartWorkflowExecutionResponse.decode(
    (await call(path, request)).bytes ?? Buffer.alloc(0),
  );
  const { error } = await call(path, request);
  expect(error?.code).toBe(6);
  const { value } = detailOf(error);
  const detail = errordetails.v1.WorkflowExecutionAlreadyStartedFailure.decode(value);
  expect(detail.runId).toBe(first.runId);
});

it.each([
  ['bytes that are no message', Buffer.from([0xff, 0xff, 0xff])],
  ['a message cut short', Buffer.from([0x0a, 0x20, 0x61])],
  ['text that is no UTF-8', Buffer.from([0x0a, 0x03, 0x61, 0xff, 0x62])],
  [
    'a negative length',
    Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
  ],
])('refuses %s with INVALID_ARGUMENT', async (_what, bytes) => {
  const { error } = await describeCall(bytes);
  expect(error?.code).toBe(3);
  expect(error?.details).toContain('DescribeWorkflowExecutionRequest');
  expect(error?.details).not.toMatch(/\.(ts|js)|\/|\bat /);
});

it('takes text that holds the replacement character itself', async () => {
  const { error } = await describeCall(
    v1.DescribeWorkflowExecutionRequest.encode({ namespace: 'a\uFFFDb' }).finish(),
  );
  expect(error?.code).toBe(5);
});

it('refuses messages over 4 MB with RESOURCE_EXHAUSTED, packed or not', async () => {
  const large = Buffer.alloc(5 * 1024 * 1024);
  expect((await describeCall(large)).error?.code).toBe(8);
  const { said } = await http2Call('DescribeWorkflowExecution', large);
  expect(said['grpc-status']).toBe('8');
});

it('answers at once when an error would repeat megabytes of the request (15)', async () => {
  const namespace = 'x'.repeat(4_000_000);
  const { error, ms } = await describeCall(
    v1.DescribeWorkflowExecutionRequest.encode({ namespace }).finish(),
  );
  expect(error?.code).toBe(5);
  expect(error?.details).toMatch(/^Namespace x+…$/);
  expect(error?.details.length).toBe(2_000);
  expect(detailOf(error).type).toBe('temporal.api.errordetails.v1.NamespaceNotFoundFailure');
  expect(ms).toBeLessThan(15_000);
});

it('reads requests that are packed with gzip', async () => {
  const request = v1.DescribeNamespaceRequest.encode({ namespace: 'default' }).finish();
  const { said, frame } = await http2Call('DescribeNamespace', request);
  expect(said['grpc-status']).toBe('0');
  expect(said['grpc-encoding']).toBe('identity');
  expect(frame.readUInt8(0)).toBe(0);
});

it('packs a large reply with gzip for a caller who accepts it, and no other', async () => {
  const large = 'all work and no play '.repeat(5_000);
  await host.client.workflow.start('Order', {
    workflowId: 'large',
    taskQueue: 'orders',
    args: [large],
  });
  const history = v1.GetWorkflowExecutionHistoryRequest.encode({
    namespace: 'default',
    execution: { workflowId: 'large' },
  }).finish();
  const read = (accept: string): Promise<Http2Answer> =>
    http2Call('GetWorkflowExecutionHistory', history, accept);
  const inputOf = (reply: Uint8Array): string => {
    const { history: read } = v1.GetWorkflowExecutionHistoryResponse.decode(reply);
    const { input } = read?.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
    return JSON.parse(new TextDecoder().decode(input?.payloads?.[0]?.data ?? undefined)) as string;
  };

  const packed = await read('identity,deflate,gzip');
  expect(packed.said['grpc-encoding']).toBe('gzip');
  expect(packed.frame.readUInt8(0)).toBe(1);
  expect(packed.frame.readUInt32BE(1)).toBe(packed.frame.length - 5);
  expect(packed.frame.length).toBeLessThan(large.length / 10);
  expect(inputOf(gunzipSync(packed.frame.subarray(5)))).toBe(large);

  for (const accept of ['identity,deflate', '']) {
    const plain = await read(accept);
    expect(plain.said['grpc-encoding']).toBe('identity');
    expect(plain.frame.readUInt8(0)).toBe(0);
    expect(inputOf(plain.frame.subarray(5))).toBe(large);
  }

  const small = v1.DescribeNamespaceRequest.encode({ namespace: 'default' }).finish();
  const { said, frame } = await http2Call('DescribeNamespace', small, 'gzip');
  expect(said['grpc-encoding']).toBe('identity');
  expect(frame.readUInt8(0)).toBe(0);
  expect(packed.said['grpc-status']).toBe('0');
});

it('serves a long history page by page, each event once (section 14)', async () => {
  const workflowId = 'long';
  const handle = await host.client.workflow.start('Order', { workflowId, taskQueue: 'orders' });
  await Promise.all(Array.from({ length: 30 }, (_, index) => handle.signal('more', index)));
  await handle.terminate();
  const ids: number[] = [];
  let nextPageToken = new Uint8Array();
  do {
    const request = { namespace: 'default', execution: { workflowId }, maximumPageSize: 7 };
    const { bytes } = await call(
      `${workflowService}/GetWorkflowExecutionHistory`,
      v1.GetWorkflowExecutionHistoryRequest.encode({ ...request, nextPageToken }).finish(),
    );
    const reply = v1.GetWorkflowExecutionHistoryResponse.decode(bytes ?? Buffer.alloc(0));
    ids.push(...(reply.history?.events ?? []).map(({ eventId }) => Number(eventId)));
    nextPageToken = Uint8Array.from(reply.nextPageToken);
  } while (nextPageToken.length > 0);
  expect(ids).toEqual(Array.from({ length: 33 }, (_, index) => index + 1));
});

const poll = v1.PollWorkflowTaskQueueRequest.encode({
  namespace: 'default',
  taskQueue: { name: 'nobody' },
}).finish();
const pollPath = `${workflowService}/PollWorkflowTaskQueue`;

it('answers a poll empty a little before its deadline', async () => {
  const { bytes, ms } = await call(pollPath, poll, { deadline: Date.now() + 3_000 });
  expect(bytes).toHaveLength(0);
  expect(ms).toBeGreaterThan(1_500);
});

it('refuses a poll whose deadline is too short', async () => {
  const { error } = await call(pollPath, poll, { deadline: Date.now() + 1_000 });
  expect(error).toMatchObject({ code: 9, details: 'Context timeout is too short.' });
});

it('lets a poll go that is cancelled: the task goes to the next', async () => {
  await call(pollPath, poll, { abortAfterMs: 100 });
  const { taskQueue, bytes } = {
    taskQueue: { name: 'nobody', kind: enums.v1.TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
    bytes: poll,
  };
  await host.client.workflow.start('Order', { workflowId: 'polled', taskQueue: taskQueue.name });
  const task = v1.PollWorkflowTaskQueueResponse.decode(
    (await call(pollPath, bytes)).bytes ?? Buffer.alloc(0),
  );
  expect(task.workflowExecution?.workflowId).toBe('polled');
  expect(task.attempt).toBe(1);
});

it('serves hundreds of idle polls beside other calls', async () => {
  const polls = Array.from({ length: 300 }, () =>
    call(pollPath, poll, { deadline: Date.now() + 8_000 }),
  );
  const { ms, error } = await describeCall(
    v1.DescribeWorkflowExecutionRequest.encode({
      namespace: 'default',
      execution: { workflowId: 'taken' },
    }).finish(),
  );
  expect(error).toBeUndefined();
  expect(ms).toBeLessThan(15_000);
  expect((await Promise.all(polls)).filter((answer) => answer.error)).toEqual([]);
});

interface Http2Answer {
  /** Headers and trailers. */
  readonly said: Readonly<Record<string, unknown>>;
  /** The reply as it came: a byte for whether it is packed, four for its length, and itself. */
  readonly frame: Buffer;
}

/** A call whose message is packed, which grpc-js's own client does not send, and its answer before it is unpacked. */
function http2Call(rpc: string, message: Uint8Array, accept = ''): Promise<Http2Answer> {
  const session = connect(`http://${host.address}`);
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/${workflowService}/${rpc}`,
      'content-type': 'application/grpc',
      'grpc-encoding': 'gzip',
      ...(accept !== '' && { 'grpc-accept-encoding': accept }),
      te: 'trailers',
    });
    const said: Record<string, unknown> = {};
    const parts: Buffer[] = [];
    stream.on('response', (headers) => Object.assign(said, headers));
    stream.on('trailers', (headers) => Object.assign(said, headers));
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('error', reject);
    stream.on('close', () => {
      session.close();
      resolve({ said, frame: Buffer.concat(parts) });
    });
    const packed = gzipSync(message);
    const head = Buffer.alloc(5);
    head.writeUInt8(1, 0);
    head.writeUInt32BE(packed.length, 1);
    stream.end(Buffer.concat([head, packed]));
  });
}
