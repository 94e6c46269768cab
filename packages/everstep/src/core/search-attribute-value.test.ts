import { expect, it } from 'vitest';
import type { Payload } from './proto.ts';
import { msOfRfc3339 } from './rfc3339.ts';
import type { AttributeType } from './search-attribute-type.ts';
import { comparedValue, isOfType, shownValue, wordsOf } from './search-attribute-value.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function json(text: string, type?: AttributeType): Payload {
  const metadata = { encoding: bytes('json/plain'), ...(type && { type: bytes(type) }) };
  return { metadata, data: bytes(text) };
}

it.each<[AttributeType, readonly string[], readonly string[]]>([
  [
    'Int',
    ['5', '-5', '[5]', '9007199254740993', 'null', '[]'],
    ['"5"', '1.5', '1.0', '1e3', '9223372036854775808', '[5,6]', 'true', '{', ''],
  ],
  ['Double', ['5', '1.5', '-1e3', '[2]'], ['"x"', '1e999', 'true', '[1,2]']],
  ['Bool', ['true', 'false', '[true]'], ['"true"', '1']],
  [
    'Datetime',
    ['"2020-01-01T00:00:00Z"', '"2020-01-01T00:00:00.123456789+01:00"'],
    ['"yesterday"', '"2020-01-01"', '"2020-01-01T00:00:00"', '"2020-02-30T00:00:00Z"', '5'],
  ],
  ['Keyword', ['"a"', '""', '["a"]'], ['5', '["a","b"]', '{}']],
  ['Text', ['"a b"'], ['5', '["a","b"]']],
  ['KeywordList', ['["a","b"]', '["a",null]'], ['"a"', '[1]', '5']],
])('a value is of type %s or it is not VS-1', (type, good, bad) => {
  expect(good.filter((text) => !isOfType(json(text), type))).toEqual([]);
  expect(bad.filter((text) => isOfType(json(text), type))).toEqual([]);
});

it('a value in another encoding than JSON is of no type, but null is of every VS-1', () => {
  const encoded = (encoding: string): Payload => ({ metadata: { encoding: bytes(encoding) } });
  expect(isOfType({ ...encoded('binary/plain'), data: bytes('5') }, 'Int')).toBe(false);
  expect(isOfType(encoded('binary/null'), 'Int')).toBe(true);
  expect(isOfType({ data: bytes('5') }, 'Int')).toBe(false);
});

it('what is compared is of the type: times as numbers, texts as words, lists as they are VS-1', () => {
  expect(comparedValue(json('"2020-01-01T01:00:00.0005+01:00"', 'Datetime'))).toBe(
    Date.parse('2020-01-01T00:00:00Z') + 0.5,
  );
  expect(comparedValue(json('"The Quick, brown-fox; the é"', 'Text'))).toEqual([
    'the',
    'quick',
    'brown',
    'fox',
    'e',
  ]);
  expect(comparedValue(json('["red"]', 'KeywordList'))).toEqual(['red']);
  expect(comparedValue(json('["red"]', 'Keyword'))).toBe('red');
  expect(comparedValue(json('null', 'Int'))).toBeUndefined();
  expect(wordsOf(' - ')).toEqual([]);
});

it('a value that is refused is shown', () => {
  expect(shownValue(json('"x"'))).toBe('x');
  expect(shownValue(json('[5,6]'))).toBe('[5,6]');
  expect(shownValue(json('{'))).toBe('value from <json/plain {>');
});

it('times are read as RFC 3339 has them, and no others', () => {
  expect(msOfRfc3339('2024-02-29T23:59:59Z')).toBe(Date.parse('2024-02-29T23:59:59Z'));
  expect(msOfRfc3339('1969-12-31T23:59:59.999Z')).toBe(-1);
  expect(msOfRfc3339('2020-01-01T00:00:00-02:30')).toBe(Date.parse('2020-01-01T02:30:00Z'));
  for (const text of ['2023-02-29T00:00:00Z', '2020-13-01T00:00:00Z', '2020-01-01T24:00:00Z', '']) {
    expect(msOfRfc3339(text)).toBeUndefined();
  }
});
