import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { EngineContext } from '../engine/context.ts';
import { operatorOf, serviceOf } from '../engine/verbs.ts';
import { isServiceError } from '../service/service-error.ts';
import { ApiKeys } from './api-keys.ts';
import { needOf } from './method-roles.ts';

const hash = (key: string): string => createHash('sha256').update(key).digest('hex');
const keys = new ApiKeys(
  JSON.stringify({
    keys: [
      { name: 'reader', sha256: hash('r'), roles: { shop: ['read'] } },
      { name: 'app', sha256: hash('w'), roles: { shop: ['write'] } },
      { name: 'worker', sha256: hash('k'), roles: { shop: ['worker'], '*': ['read'] } },
      { name: 'root', sha256: hash('a').toUpperCase(), roles: { '*': ['admin'] } },
      { name: 'machine', commonName: 'worker-1', roles: { shop: ['worker'] } },
    ],
  }),
);

function may(key: string | undefined, method: string, namespace?: string): boolean {
  const authorization = key === undefined ? undefined : `Bearer ${key}`;
  return allowed(method, namespace, { authorization, commonName: undefined });
}

function allowed(
  method: string,
  namespace: string | undefined,
  caller: Parameters<ApiKeys['authorize']>[2],
): boolean {
  try {
    keys.authorize(method, namespace, caller);
    return true;
  } catch (error) {
    if (isServiceError(error, 'PERMISSION_DENIED')) return false;
    throw error;
  }
}

it('knows the need of every call that is built', () => {
  const context = {} as EngineContext;
  const built = [...Object.keys(serviceOf(context)), ...Object.keys(operatorOf(context))];
  expect(built.filter((method) => needOf(method) === undefined)).toEqual([]);
});

it.each([
  ['r', 'describeWorkflowExecution', 'shop', true],
  ['r', 'startWorkflowExecution', 'shop', false],
  ['r', 'describeWorkflowExecution', 'other', false],
  ['r', 'getSystemInfo', undefined, true],
  ['r', 'listNamespaces', undefined, false],
  ['w', 'startWorkflowExecution', 'shop', true],
  ['w', 'queryWorkflow', 'shop', true],
  ['w', 'pollWorkflowTaskQueue', 'shop', false],
  ['w', 'deleteNamespace', 'shop', false],
  ['k', 'pollWorkflowTaskQueue', 'shop', true],
  ['k', 'startWorkflowExecution', 'shop', false],
  ['k', 'pollWorkflowTaskQueue', 'other', false],
  ['k', 'listNamespaces', undefined, true],
  ['a', 'registerNamespace', 'new', true],
  ['a', 'pollActivityTaskQueue', 'other', true],
  ['a', 'describeNamespace', undefined, true],
  ['r', 'describeNamespace', undefined, false],
  ['a', 'noSuchMethod', 'shop', false],
  ['x', 'getSystemInfo', undefined, false],
  [undefined, 'getSystemInfo', undefined, false],
])('lets key %s call %s in %s: %s', (key, method, namespace, expected) => {
  expect(may(key, method, namespace)).toBe(expected);
});

it('knows a machine by its certificate, and by nothing else that it says', () => {
  const machine = { authorization: undefined, commonName: 'worker-1' };
  expect(allowed('pollWorkflowTaskQueue', 'shop', machine)).toBe(true);
  expect(allowed('startWorkflowExecution', 'shop', machine)).toBe(false);
  expect(
    allowed('pollWorkflowTaskQueue', 'shop', { ...machine, authorization: 'Bearer wrong' }),
  ).toBe(false);
});

describe('a key file that cannot be used', () => {
  it.each([
    ['no json', 'no JSON'],
    ['{}', '"keys" is missing'],
    ['{"keys":[{"name":"a","roles":{"x":["read"]}}]}', 'key a has neither'],
    ['{"keys":[{"name":"a","sha256":"12","roles":{"x":["read"]}}]}', 'key a has neither'],
    [`{"keys":[{"name":"a","sha256":"${hash('a')}"}]}`, 'key a has no "roles"'],
    [`{"keys":[{"name":"a","sha256":"${hash('a')}","roles":{"x":["king"]}}]}`, '"king"'],
  ])('%s is refused', (text, words) => {
    expect(() => new ApiKeys(text)).toThrow(words);
  });
});
