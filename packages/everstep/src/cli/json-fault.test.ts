import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonFault } from './json-fault.ts';

it.each([
  ['{"a":}', 5, 'a value'],
  ['{a:1}', 1, 'a key in double quotes'],
  ["{'a':1}", 1, 'a key in double quotes'],
  ['{"a" 1}', 5, ':'],
  ['{"a":1 "b":2}', 7, ', or }'],
  ['[1,2', 4, ', or ]'],
  ['[1,]', 3, 'a value'],
  ['{"a":1,}', 7, 'a key in double quotes'],
  ['"abc', 4, 'the end of a string (")'],
  ['"a\nb"', 2, 'the end of a string (")'],
  ['"a\\x"', 2, 'an escape such as \\n or \\u0041'],
  ['01', 0, 'a value'],
  ['1 2', 2, 'the end'],
  ['lisbon', 0, 'a value'],
  ['', 0, 'a value'],
])('%j stops being JSON at %i', (text, at, expected) => {
  expect(jsonFault(text)).toEqual({ at, expected });
});

it('finds a fault in every text that JSON.parse refuses, and none in the others', () => {
  const broken = fc
    .tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.constantFrom('', ',', '"', '}', 'x', '\\', '1.'))
    .map(([text, at, put]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + put + text.slice(place + 1);
    });
  fc.assert(
    fc.property(broken, (text) => {
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      const { at, expected } = jsonFault(text);
      expect(at === text.length && expected === 'other JSON').toBe(isJson);
    }),
    { numRuns: 2_000 },
  );
});
