/** Search attributes and lists, as the official client sends and reads them. */
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGateway, type GatewayHost } from './gateway-host.ts';

let host: GatewayHost;

beforeAll(async () => {
  host = await startGateway({
    searchAttributes: { Due: 'Datetime', Note: 'Text', Amount: 'Int', Tags: 'KeywordList' },
  });
});

afterAll(() => host.stop());

const due = defineSearchAttributeKey('Due', SearchAttributeType.DATETIME);
const note = defineSearchAttributeKey('Note', SearchAttributeType.TEXT);
const amount = defineSearchAttributeKey('Amount', SearchAttributeType.INT);
const tags = defineSearchAttributeKey('Tags', SearchAttributeType.KEYWORD_LIST);
const unknown = defineSearchAttributeKey('Unknown', SearchAttributeType.KEYWORD);

async function listed(query: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const run of host.client.workflow.list({ query })) ids.push(run.workflowId);
  return ids.sort();
}

it('finds runs by attributes of every type (VS-1)', async () => {
  await host.client.workflow.start('Order', {
    workflowId: 'early',
    taskQueue: 'q',
    typedSearchAttributes: [
      { key: due, value: new Date('2026-03-01T12:00:00Z') },
      { key: note, value: 'Handle with care' },
      { key: amount, value: 9 },
      { key: tags, value: ['red'] },
    ],
  });
  await host.client.workflow.start('Order', {
    workflowId: 'late',
    taskQueue: 'q',
    typedSearchAttributes: [
      { key: due, value: new Date('2026-10-01T12:00:00Z') },
      { key: amount, value: 10 },
    ],
  });
  expect(await listed("Due < '2026-10-01T14:00:00+02:00'")).toEqual(['early']);
  expect(await listed("Note = 'CARE'")).toEqual(['early']);
  expect(await listed('Amount > 9')).toEqual(['late']);
  expect(await listed("Tags != 'red'")).toEqual(['late']);
  await expect(listed("Amount = 'nine'")).rejects.toThrow('Failed to list');
});

it('refuses a start with an attribute that is not registered, naming it (VS-2)', async () => {
  const start = host.client.workflow.start('Order', {
    workflowId: 'refused',
    taskQueue: 'q',
    typedSearchAttributes: [{ key: unknown, value: 'x' }],
  });
  await expect(start).rejects.toMatchObject({
    cause: { code: 3, details: expect.stringContaining('search attribute Unknown') as string },
  });
});
