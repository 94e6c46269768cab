import { expect, test } from 'vitest';
import { DraftDriver, payloadsOf } from '../../test/draft-driver.ts';
import { modifyProperties, recordMarker, upsertSearchAttributes } from './attributes.ts';
import type { Payload } from './proto.ts';

const json = (text: string): Payload => ({
  metadata: { encoding: new TextEncoder().encode('json/plain') },
  data: new TextEncoder().encode(text),
});

class Attributes extends DraftDriver {
  upsert(indexedFields: Record<string, Payload>) {
    return this.command(upsertSearchAttributes, {
      upsertWorkflowSearchAttributesCommandAttributes: { searchAttributes: { indexedFields } },
    });
  }

  modify(fields: Record<string, Payload>) {
    return this.command(modifyProperties, {
      modifyWorkflowPropertiesCommandAttributes: { upsertedMemo: { fields } },
    });
  }
}

test('search attributes are merged, null and the empty list take a key away VS-3', () => {
  const run = new Attributes();
  run.upsert({ Customer: json('"c1"'), Stage: json('1'), Tags: json('["a"]') });
  expect(run.events).toEqual(['UpsertWorkflowSearchAttributes']);
  run.upsert({ Customer: json('null'), Stage: json('2'), Tags: json('[]') });
  expect(run.state.searchAttributes).toEqual({ indexedFields: { Stage: json('2') } });
});

test('a system attribute, too many keys and too large values are refused VS-2 VS-3', () => {
  const run = new Attributes();
  expect(run.upsert({ RunId: json('"x"') })?.message).toBe(
    "RunId attribute can't be set in SearchAttributes",
  );
  const many = Object.fromEntries(
    Array.from({ length: 101 }, (_, index) => [`k${index}`, json('1')]),
  );
  expect(run.upsert(many)?.message).toBe('number of search attributes 101 exceeds limit 100');
  expect(run.upsert({ Big: json('x'.repeat(2_049)) })).toMatchObject({ terminate: true });
  const large = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [`k${index}`, json('x'.repeat(2_000))]),
  );
  expect(run.upsert(large)?.message).toContain('total size of search attributes');
  expect(run.upsert({})?.message).toContain('IndexedFields is not set');
});

test('the memo is merged, and held to its size WT-20', () => {
  const run = new Attributes();
  run.modify({ note: json('"a"'), other: json('1') });
  run.modify({ note: json('null') });
  expect(run.events).toEqual(['WorkflowPropertiesModified']);
  expect(run.state.memo).toEqual({ fields: { other: json('1') } });
  run.limits = { ...run.limits, memoBytesMax: 40 };
  expect(run.modify({ big: json('x'.repeat(100)) })).toMatchObject({ terminate: true });
});

test('a memo may have keys that are words of JavaScript', () => {
  const run = new Attributes();
  const words = ['__proto__', 'constructor', 'toString'];
  run.modify(Object.fromEntries(words.map((word) => [word, json('1')])));
  expect(Object.keys(run.state.memo?.fields ?? {})).toEqual(words);
  run.modify(Object.fromEntries([['__proto__', json('null')]]));
  expect(Object.keys(run.state.memo?.fields ?? {})).toEqual(['constructor', 'toString']);
});

test('a marker is recorded, without a name it fails the task, an oversized one terminates WT-19 WT-20', () => {
  const run = new Attributes();
  const record = (markerName: string, text: string) =>
    run.command(recordMarker, {
      recordMarkerCommandAttributes: { markerName, details: { data: payloadsOf(text) } },
    });
  expect(record('version', '1')).toBeUndefined();
  expect(run.events).toEqual(['MarkerRecorded']);
  expect(record('', '1')?.message).toBe('MarkerName is not set on RecordMarkerCommand.');
  run.limits = { ...run.limits, payloadBytesMax: 10 };
  expect(record('version', '0123456789')).toMatchObject({ terminate: true });
});
