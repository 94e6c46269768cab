/** docs/reference/rpc.md lists every call of the contract with its state, and says built exactly of those that are. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { EngineContext } from '../../src/engine/context.ts';
import { operatorOf, serviceOf } from '../../src/engine/verbs.ts';
import { healthMethods } from '../../src/gateway/health.ts';
import { operatorMethods, testMethods, workflowMethods } from '../../src/gateway/wire-method.ts';
import type { WireMethod } from '../../src/gateway/wire-method.ts';
import { needOf } from '../../src/security/method-roles.ts';
import { root } from './blocks.ts';

const context = {} as EngineContext;

function states(methods: readonly WireMethod[], built: readonly string[]): string[] {
  return methods.map(({ rpc, name }) => `${rpc}: ${built.includes(name) ? 'built' : 'not built'}`);
}

const services: Readonly<Record<string, string[]>> = {
  WorkflowService: states(workflowMethods, Object.keys(serviceOf(context))),
  OperatorService: states(operatorMethods, Object.keys(operatorOf(context))),
  TestService: states(testMethods, []),
  Health: states(healthMethods, ['check']),
};

const sections = readFileSync(`${root}docs/reference/rpc.md`, 'utf8').split(/^## /m).slice(1);

it.each(Object.keys(services))('lists the calls of %s with their states', (service) => {
  const section = sections.find((text) => text.startsWith(`${service}\n`)) ?? '';
  const listed = [...section.matchAll(/^\| `(\w+)` +\| (built|not built) +\|/gm)].map(
    ([, rpc, state]) => `${rpc}: ${state}`,
  );
  expect(listed.toSorted()).toEqual((services[service] ?? []).toSorted());
});

it('has a role for every call that is built, so that a caller with a key is not denied', () => {
  const built = [...Object.keys(serviceOf(context)), ...Object.keys(operatorOf(context))];
  expect(built.filter((name) => needOf(name) === undefined)).toEqual([]);
});
