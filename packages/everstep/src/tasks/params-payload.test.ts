import { defaultPayloadConverter } from '@temporalio/common';
import { expect, it } from 'vitest';
import { paramsPayload } from './params-payload.ts';
import { step } from './steps.ts';

const encode = (params: unknown): unknown => paramsPayload('t', params, defaultPayloadConverter);
function refusal(params: unknown): { code: string; message: string } {
  try {
    encode(params);
  } catch (error) {
    return error as { code: string; message: string };
  }
  return { code: 'none', message: '' };
}

it('names the place of what cannot be serialised', () => {
  const cycle: Record<string, unknown> = { name: 'a' };
  cycle['self'] = { back: cycle };
  const cases: [unknown, string][] = [
    [{ user: { callback: () => 1 } }, 'params.user.callback is a function'],
    [() => 1, 'params is a function'],
    [{ ids: [1n] }, 'params.ids[0] is a BigInt'],
    [cycle, 'params.self.back refers back to params, a cycle'],
    [{ 'odd name': Symbol('x') }, 'params["odd name"] is a symbol'],
    [{ size: NaN }, 'params.size is NaN, which JSON writes as null'],
    [{ seen: new Set() }, 'params.seen is a Set, which JSON writes as {}'],
    [{ file: Promise.resolve() }, 'params.file is a Promise; await it first'],
  ];
  for (const [params, problem] of cases) {
    const { code, message } = refusal(params);
    expect(code).toBe('TASK_PARAMS_NOT_SERIALIZABLE');
    expect(message).toContain(problem);
  }
});

it('takes what JSON can hold, one object twice, bytes and a Date', () => {
  const shared = { a: 1 };
  for (const params of [
    undefined,
    null,
    'x',
    { a: shared, b: shared, c: undefined },
    [shared],
    new Uint8Array(3),
    { at: new Date(0) },
  ]) {
    expect(refusal(params).code).toBe('none');
  }
});

it('says the size, the limit and the largest part of parameters that are too large', () => {
  const { code, message } = refusal({ small: 1, image: 'x'.repeat(3 * 1024 * 1024) });
  expect(code).toBe('TASK_PARAMS_TOO_LARGE');
  expect(message).toMatch(
    /are 3145\d\d\d bytes when serialised; the limit is 2097152 bytes \(2 MiB\)/,
  );
  expect(message).toContain('The largest part is params.image.');
});

it('refuses, with the place, what JSON would write as something else', () => {
  const cases: [unknown, string][] = [
    [{ at: new Date(NaN) }, 'params.at is an invalid Date, which JSON writes as null'],
    [[1, undefined], 'params[1] is undefined, which JSON writes as null in a list'],
    [{ like: /x/ }, 'params.like is a RegExp, which JSON writes as {}'],
    [{ why: new TypeError('x') }, 'params.why is an Error, of which JSON drops the message'],
    [{ known: new WeakMap() }, 'params.known is a WeakMap, which JSON writes as {}'],
    [{ raw: new ArrayBuffer(1) }, 'params.raw is an ArrayBuffer, which JSON writes as {}'],
    [new Float32Array(1), 'params is a Float32Array, which JSON does not keep'],
    [{ file: Buffer.from('x') }, 'params.file is a Buffer inside another value'],
    [{ files: [new Uint8Array(1)] }, 'params.files[0] is a Uint8Array inside another value'],
  ];
  for (const [params, problem] of cases) expect(refusal(params).message).toContain(problem);
});

it('takes an instance of a class, what writes itself, and an object without a prototype', () => {
  class Point {
    readonly x = 1;
  }
  const bare = Object.assign(Object.create(null) as object, { a: 1 });
  for (const params of [new Point(), { at: new URL('http://x') }, bare, Object('x')]) {
    expect(refusal(params).code).toBe('none');
  }
});

it('says that a step in the parameters was not run', () => {
  const { message } = refusal({ a: [step('fetch', () => 1)] });
  expect(message).toContain('write yield* step("fetch", …)');
});
