import { expect } from 'vitest';
import proto from '@temporalio/proto';
import { durationOf, refused } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';
import { attributeTypes } from './search-attributes.ts';

const { Keyword, Int } = attributeTypes;
const { ArchivalState } = proto.temporal.api.enums.v1;

export function describeNamespaces(scenario: Scenario): void {
  scenario('A namespace is registered once, described, changed and listed', async (host) => {
    const { service } = host;
    const request = {
      namespace: 'shop',
      description: 'orders',
      workflowExecutionRetentionPeriod: durationOf(7_200_000),
    };
    await service.registerNamespace(request);
    expect(await refused(service.registerNamespace(request))).toMatchObject({
      code: 'ALREADY_EXISTS',
      detail: { kind: 'namespaceAlreadyExists' },
    });
    await service.updateNamespace({
      namespace: 'shop',
      updateInfo: { ownerEmail: 'owner@example.org', data: { team: 'a' } },
      config: { workflowExecutionRetentionTtl: durationOf(3_600_000) },
    });
    const described = await service.describeNamespace({ namespace: 'shop' });
    expect(described).toMatchObject({
      namespaceInfo: {
        description: 'orders',
        ownerEmail: 'owner@example.org',
        data: { team: 'a' },
      },
      config: {
        workflowExecutionRetentionTtl: durationOf(3_600_000),
        historyArchivalState: ArchivalState.ARCHIVAL_STATE_DISABLED,
        visibilityArchivalState: ArchivalState.ARCHIVAL_STATE_DISABLED,
      },
    });
    const names = (await service.listNamespaces({})).namespaces?.map(
      ({ namespaceInfo }) => namespaceInfo?.name,
    );
    expect(names).toEqual(['default', 'shop']);
  });

  scenario('A retention of less than an hour is refused', async (host) => {
    const short = { workflowExecutionRetentionTtl: durationOf(1_000) };
    expect(
      await refused(host.service.updateNamespace({ namespace: 'default', config: short })),
    ).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  scenario('A deleted namespace is gone with its runs', async (host) => {
    const { service, engine, store } = host;
    await service.registerNamespace({ namespace: 'shop' });
    const { namespaceInfo } = await service.describeNamespace({ namespace: 'shop' });
    await host.start('a', { namespace: 'shop' });
    await host.start('kept');
    await engine.operator.deleteNamespace({ namespace: 'shop' });
    expect(await refused(service.describeNamespace({ namespace: 'shop' }))).toMatchObject({
      code: 'NOT_FOUND',
      detail: { kind: 'namespaceNotFound', namespace: 'shop' },
    });
    const namespaceId = namespaceInfo?.id ?? '';
    expect(await store.visibility.count({ namespaceId, groupByStatus: false })).toMatchObject({
      count: 0,
    });
    expect(await host.status('kept')).toBe('RUNNING');
  });

  scenario('Search attributes are added, listed and removed (VS-1, VS-3)', async (host) => {
    const { operator } = host.engine;
    const many = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`Keyword${index}`, Keyword]),
    );
    await operator.addSearchAttributes({
      namespace: 'default',
      searchAttributes: { ...many, Amount: Int },
    });
    await operator.addSearchAttributes({ namespace: 'default', searchAttributes: { Amount: Int } });
    const list = () => operator.listSearchAttributes({ namespace: 'default' });
    expect(Object.keys((await list()).customAttributes ?? {})).toHaveLength(51);
    expect((await list()).systemAttributes).toMatchObject({ WorkflowId: Keyword });
    expect((await host.service.getSearchAttributes({})).keys).toMatchObject({ Amount: Int });
    await operator.removeSearchAttributes({ namespace: 'default', searchAttributes: ['Amount'] });
    expect((await list()).customAttributes).not.toHaveProperty('Amount');
    expect(
      await refused(
        operator.removeSearchAttributes({ namespace: 'default', searchAttributes: ['Amount'] }),
      ),
    ).toMatchObject({ code: 'NOT_FOUND' });
  });

  scenario('A search attribute is given the type it is registered with (VS-1)', async (host) => {
    await host.engine.operator.addSearchAttributes({
      namespace: 'default',
      searchAttributes: { Amount: Int, Colour: Keyword },
    });
    const value = (text: string) => ({
      metadata: { encoding: new TextEncoder().encode('json/plain') },
      data: new TextEncoder().encode(text),
    });
    await host.start('a', { searchAttributes: { indexedFields: { Amount: value('5') } } });
    await host.turn([
      {
        commandType:
          proto.temporal.api.enums.v1.CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        upsertWorkflowSearchAttributesCommandAttributes: {
          searchAttributes: { indexedFields: { Colour: value('"red"') } },
        },
      },
    ]);
    const { indexedFields } =
      (await host.describe('a')).workflowExecutionInfo?.searchAttributes ?? {};
    const types = Object.entries(indexedFields ?? {}).map(([name, { metadata }]) => [
      name,
      metadata?.['type'] && new TextDecoder().decode(metadata['type']),
    ]);
    expect(types).toEqual([
      ['Amount', 'Int'],
      ['Colour', 'Keyword'],
    ]);
  });

  scenario(
    'A search attribute of the system, of two types, or misnamed is refused (VS-2)',
    async (host) => {
      const { operator } = host.engine;
      const add = (name: string, type: number) =>
        operator.addSearchAttributes({ namespace: 'default', searchAttributes: { [name]: type } });
      expect(await refused(add('WorkflowId', Keyword))).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(await refused(add('no spaces', Keyword))).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(await refused(add('Odd', 99))).toMatchObject({ code: 'INVALID_ARGUMENT' });
      await add('Amount', Int);
      expect(await refused(add('Amount', Keyword))).toMatchObject({ code: 'ALREADY_EXISTS' });
    },
  );

  scenario(
    'A worker that shuts down leaves its sticky tasks to the others at once (WT-6)',
    async (host, world) => {
      await host.start('a');
      await host.complete(await host.poll(), [], {
        stickyAttributes: {
          workerTaskQueue: { name: 'sticky-1', kind: 2, normalName: 'orders' },
          scheduleToStartTimeout: durationOf(10_000),
        },
      });
      await host.signal('a');
      expect(await host.tryPoll('orders')).toBeUndefined();
      await host.service.shutdownWorker({ namespace: 'default', stickyTaskQueue: 'sticky-1' });
      await world.clock.settle();
      const task = await host.poll('orders');
      expect(task.history?.events).toHaveLength(7);
    },
  );
}
