/** What a server that is asked for metrics counts, as Prometheus reads it. */
import { Client, Connection } from '@temporalio/client';
import { expect, it } from 'vitest';
import { MetricsEndpoint } from '../../src/observability/metrics-endpoint.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import { silent } from '../tasks/running-component.ts';
import { startServer } from './gateway-host.ts';

/** The value of a series, or undefined when there is none. */
function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

async function measured() {
  const metrics = new Metrics();
  const server = await startServer({ metrics });
  const endpoint = new MetricsEndpoint(metrics, silent);
  const url = `http://127.0.0.1:${await endpoint.listen('127.0.0.1', 0)}/metrics`;
  const connection = await Connection.connect({ address: server.address });
  return {
    url,
    client: new Client({ connection }),
    read: async () => (await fetch(url)).text(),
    stop: async () => {
      endpoint.close();
      await connection.close();
      await server.stop();
    },
  };
}

it('counts and times calls of the service and of the store, under the names of Temporal', async () => {
  const { client, read, stop } = await measured();
  try {
    for (const workflowId of ['a', 'b']) {
      await client.workflow.start('Order', { workflowId, taskQueue: 'q' });
    }
    await expect(client.workflow.getHandle('none').describe()).rejects.toThrow('not found');
    await expect(client.workflowService.listWorkflowRules({})).rejects.toMatchObject({ code: 12 });
    const text = await read();
    const start = '{operation="StartWorkflowExecution",service_name="frontend"}';
    expect(valueOf(text, `service_requests${start}`)).toBe(2);
    expect(valueOf(text, `service_latency_count${start}`)).toBe(2);
    expect(valueOf(text, `service_latency_sum${start}`)).toBeGreaterThan(0);
    expect(valueOf(text, `service_pending_requests${start}`)).toBe(0);
    expect(valueOf(text, `service_errors${start}`)).toBeUndefined();
    const refused = (operation: string, type: string): string =>
      `service_error_with_type{operation="${operation}",service_name="frontend",error_type="serviceerror_${type}"}`;
    expect(valueOf(text, refused('DescribeWorkflowExecution', 'NotFound'))).toBe(1);
    expect(valueOf(text, refused('ListWorkflowRules', 'Unimplemented'))).toBe(1);
    expect(valueOf(text, 'persistence_requests{operation="commit"}')).toBeGreaterThanOrEqual(2);
    expect(valueOf(text, 'persistence_latency_count{operation="runs.loadCurrent"}')).toBe(1);
    expect(valueOf(text, 'process_cpu_seconds_total')).toBeGreaterThan(0);
  } finally {
    await stop();
  }
});

it('shows a poll that waits, and has no label that callers make up', async () => {
  const { client, read, stop } = await measured();
  const series =
    'service_pending_requests{operation="PollWorkflowTaskQueue",service_name="frontend"}';
  try {
    const poll = client.workflowService.pollWorkflowTaskQueue({
      namespace: 'default',
      taskQueue: { name: 'made-up-queue' },
    });
    await expect.poll(async () => valueOf(await read(), series)).toBe(1);
    await client.workflow.start('MadeUpType', {
      workflowId: 'made-up',
      taskQueue: 'made-up-queue',
    });
    await poll;
    await expect(
      client.workflowService.describeNamespace({ namespace: 'made-up-namespace' }),
    ).rejects.toThrow('is not found');
    const text = await read();
    expect(valueOf(text, series)).toBe(0);
    expect(text.toLowerCase()).not.toMatch(/made-?up/);
  } finally {
    await stop();
  }
});

it('serves its one page to those who read it', async () => {
  const { url, stop } = await measured();
  try {
    const page = await fetch(url);
    expect(page.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    expect((await fetch(new URL('/', url))).status).toBe(404);
    const taken = new MetricsEndpoint(new Metrics(), silent).listen(
      '127.0.0.1',
      Number(new URL(url).port),
    );
    await expect(taken).rejects.toMatchObject({ code: 'METRICS_ADDRESS' });
  } finally {
    await stop();
  }
});

it('answers 500 where it cannot tell the metrics, and logs why', async () => {
  const logged: unknown[] = [];
  const logger = { ...silent, error: (_: string, fields?: object) => void logged.push(fields) };
  const error = new TypeError('no figure');
  const broken = { contentType: 'text/plain' as const, text: () => Promise.reject(error) };
  const endpoint = new MetricsEndpoint(broken as never, logger);
  const port = await endpoint.listen('127.0.0.1', 0);
  try {
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(500);
    expect(logged).toEqual([{ error }]);
  } finally {
    endpoint.close();
  }
});
