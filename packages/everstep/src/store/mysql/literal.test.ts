import { expect, it } from 'vitest';
import { listOf, literal, textLiteral } from './literal.ts';

it('writes what is plain as it is, and all else in hexadecimal digits', () => {
  expect(literal('order-1:a b.c@d/e')).toBe("'order-1:a b.c@d/e'");
  expect(literal("'; DROP TABLE x; --")).toBe(
    `X'${Buffer.from("'; DROP TABLE x; --").toString('hex')}'`,
  );
  for (const text of ['"', '\\', 'a\n', 'á', '\0', '`', '%']) {
    expect(literal(text)).toMatch(/^X'([0-9a-f]{2})+'$/);
    expect(textLiteral(text)).toMatch(/^_utf8mb4 X'([0-9a-f]{2})+'$/);
  }
  expect(literal(new Uint8Array([0, 255]))).toBe("X'00ff'");
  expect(literal(new Uint8Array())).toBe("''");
  expect(literal('')).toBe("''");
});

it('keeps every number that is one', () => {
  expect([1_700_000_000_000.25, -1, 2 ** 53 - 1, 1e21].map(literal)).toEqual([
    '1700000000000.25',
    '-1',
    '9007199254740991',
    '1e+21',
  ]);
  expect([Number.NaN, Infinity].map(literal)).toEqual(['NULL', 'NULL']);
});

it('has nothing in a list of nothing', () => {
  expect(listOf([])).toBe('(NULL)');
  expect(listOf([1, 'a', null, true])).toBe("(1, 'a', NULL, 1)");
});
