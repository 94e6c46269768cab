import proto from '@temporalio/proto';
import { expect, test } from 'vitest';
import { defaultLimits } from './limits.ts';
import { checkIdLength, checkTaskQueue } from './id-length.ts';
import { cutFailure, truncateFailure } from './failure.ts';
import {
  failureBytes,
  memoBytes,
  payloadsBytes,
  searchAttributesBytes,
  utf8Bytes,
} from './payload-size.ts';
import type { Failure, Payload } from './proto.ts';

const { Memo, Payloads, SearchAttributes } = proto.temporal.api.common.v1;
const payload = (bytes: number): Payload => ({
  metadata: { encoding: new TextEncoder().encode('json/plain'), ключ: new Uint8Array(200) },
  data: new Uint8Array(bytes),
});

test('payloads are counted as the wire encodes them, section 14', () => {
  for (const bytes of [1, 127, 128, 16_383, 16_384, 3_000_000]) {
    const payloads = { payloads: [payload(bytes), payload(1)] };
    expect(payloadsBytes(payloads)).toBe(Payloads.encode(payloads).finish().length);
    const fields = { a: payload(bytes), 'b🙂': payload(2) };
    expect(memoBytes({ fields })).toBe(Memo.encode({ fields }).finish().length);
    const attributes = { indexedFields: fields };
    expect(searchAttributesBytes(attributes)).toBe(
      SearchAttributes.encode(attributes).finish().length,
    );
  }
  expect(payloadsBytes(undefined)).toBe(0);
});

test('text is counted in UTF-8 bytes, section 14', () => {
  for (const text of ['', 'abc', 'äöü', '日本', '🙂🙂', 'a🙂é日']) {
    expect(utf8Bytes(text)).toBe(Buffer.byteLength(text));
  }
});

test('an id may have a thousand bytes, section 14', () => {
  expect(checkIdLength('activityId', 'x'.repeat(1_000), defaultLimits)).toBeUndefined();
  expect(checkIdLength('activityId', 'é'.repeat(501), defaultLimits)).toBe(
    'activityId exceeds length limit. Length=1002 Limit=1000',
  );
  expect(checkTaskQueue('/_sys/mine', defaultLimits)).toContain('reserved prefix');
  expect(checkTaskQueue('', defaultLimits)).toBe('missing task queue name');
});

test('a failure kept between attempts is cut at 4 KiB, its kind and flags kept AC-12', () => {
  const failure: Failure = {
    message: 'é'.repeat(1_500),
    stackTrace: 'at f\n'.repeat(2_000),
    applicationFailureInfo: { type: 'Big', details: { payloads: [payload(10_000)] } },
    cause: { message: 'why' },
  };
  const cut = cutFailure(failure, 4_096);
  expect(cut.message).toBe('Failure exceeds size limit.');
  expect(cut.cause?.applicationFailureInfo).toEqual({ type: 'Big', nonRetryable: false });
  expect(cut.cause?.message).toBe(failure.message);
  expect(failureBytes(cut.cause)).toBeLessThanOrEqual(4_096);
  expect(cutFailure({ message: 'small' }, 4_096)).toEqual({ message: 'small' });
});

test('truncation never splits a character AC-12', () => {
  expect(truncateFailure({ message: '日本🙂' }, 8).message).toBe('日本');
});
