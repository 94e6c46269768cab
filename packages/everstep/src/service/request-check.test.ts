import proto from '@temporalio/proto';
import Long from 'long';
import { describe, expect, it } from 'vitest';
import { requestMessage } from '../../test/request-maker.ts';
import { checkRequest } from './request-check.ts';

const start = (request: unknown) => () =>
  checkRequest(requestMessage('startWorkflowExecution'), request);

describe('a request that no type has checked', () => {
  it.each<[what: unknown, message: string]>([
    [{ workflowId: 5 }, 'workflowId is 5; expected a string.'],
    [{ taskQueue: 'orders' }, 'taskQueue is the string "orders"; expected an object.'],
    [{ taskQueue: { name: true } }, 'taskQueue.name is true; expected a string.'],
    [{ taskQueue: { kind: 1.5 } }, 'taskQueue.kind is 1.5; expected a whole number of 32 bits.'],
    [{ requestEagerExecution: 1 }, 'requestEagerExecution is 1; expected a boolean.'],
    [{ links: {} }, 'links is an object; expected an array.'],
    [{ input: { payloads: [null] } }, 'input.payloads[0] is null; expected an object.'],
    [
      { input: { payloads: [{ data: 'text' }] } },
      'input.payloads[0].data is the string "text"; expected a Uint8Array.',
    ],
    [{ memo: { fields: { a: 5 } } }, 'memo.fields["a"] is 5; expected an object.'],
    [{ memo: { fields: [] } }, 'memo.fields is an array; expected an object.'],
    [
      { workflowRunTimeout: { seconds: 'soon' } },
      'workflowRunTimeout.seconds is the string "soon"; expected a whole number of 64 bits (a Long or a number).',
    ],
    [
      { workflowRunTimeout: { seconds: 1e15 } },
      'workflowRunTimeout.seconds is 1000000000000000; expected a number from -315576000000 to 315576000000.',
    ],
    [
      { workflowRunTimeout: { nanos: 1e9 } },
      'workflowRunTimeout.nanos is 1000000000; expected less than a second in nanoseconds.',
    ],
    [undefined, 'The request is undefined; expected an object.'],
    [[], 'The request is an array; expected an object.'],
  ])('%o is refused by the name of its field', (request, message) => {
    expect(start(request)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message }));
  });

  it('that holds itself is refused', () => {
    const cause: Record<string, unknown> = {};
    cause['cause'] = cause;
    expect(start({ continuedFailure: cause })).toThrow(/at most 100 objects inside each other/);
  });

  it('that cannot be read is refused', () => {
    const ownKeys = (): never => {
      throw new TypeError('not to be read');
    };
    expect(start(new Proxy({}, { ownKeys }))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: 'The request cannot be read.' }),
    );
  });

  it('is taken as messages, plain objects and with every form of a number', () => {
    const { Duration } = proto.google.protobuf;
    for (const seconds of [5, '5', Long.fromNumber(5)]) {
      expect(start({ workflowRunTimeout: { seconds } })).not.toThrow();
    }
    const request = {
      namespace: null,
      workflowId: undefined,
      workflowRunTimeout: Duration.create({ seconds: Long.fromNumber(5) }),
      taskQueue: Object.assign(Object.create(null) as object, { name: 'orders' }),
      input: {
        payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('1') }],
      },
      noSuchField: 5,
    };
    expect(start(request)).not.toThrow();
  });
});
