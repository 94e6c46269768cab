import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Logger } from '../service/logger.ts';
import { limitsOf, settings } from './dynamic-config.ts';
import { settingOption } from './option-values.ts';

const said: string[] = [];
const note = (message: string): void => {
  said.push(message);
};
const logger: Logger = { debug: note, info: note, warn: note, error: note };

function given(...values: readonly string[]) {
  return limitsOf(
    values.reduce<Readonly<Record<string, unknown>>>(
      (before, value) => settingOption(value, before),
      {},
    ),
    logger,
  );
}

it('takes limits under the names that Temporal gives them, in whatever case', () => {
  const options = given(
    'limit.historyCount.error=100',
    'HISTORY.MAXINFLIGHTUPDATES=3',
    'matching.longPollExpirationInterval="5s"',
    'history.defaultWorkflowTaskTimeout=20s',
    'frontend.namespaceRPS=7',
  );
  expect(options).toEqual({
    coreLimits: { historyEventsMax: 100, updatesInFlightMax: 3, workflowTaskTimeoutMs: 20_000 },
    limits: { longPollMs: 5_000 },
    rates: { perSecond: 0, perNamespaceAndSecond: 7 },
  });
});

it('says which settings mean nothing here, words of JavaScript among them', () => {
  said.length = 0;
  for (const name of ['constructor', '__proto__', 'toString', 'frontend.enableNothing']) {
    const { limits, coreLimits } = given(`${name}=1`);
    expect({ ...limits, ...coreLimits }).toEqual({});
  }
  expect(said).toContain('the setting constructor means nothing to this server');
  expect(said).toContain('the setting frontend.enableNothing means nothing to this server');
});

it.each(['-1', '"soon"', 'true', '{}', '"9e400"'])(
  'refuses the value %s, naming the setting',
  (value) => {
    expect(() => given(`frontend.rps=${value}`)).toThrow('--dynamic-config-value frontend.rps is');
  },
);

it('is documented, each setting, and no other', () => {
  const path = new URL('../../../../docs/reference/limits.md', import.meta.url);
  const section = readFileSync(path, 'utf8').split('\n## Settings\n')[1] ?? '';
  const documented = [...section.matchAll(/^\| `([\w.]+)` +\|/gm)].map(([, name]) => name);
  expect(new Set(documented)).toEqual(new Set(settings.keys()));
  expect(documented).toHaveLength(settings.size);
});
