import proto from '@temporalio/proto';
import { expect } from 'vitest';
import { completeRun, timer } from '../../test/command-kit.ts';
import { nameOf } from '../../test/core-driver.ts';
import { durationOf, eventIds, refused } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import { decodeBatch } from '../core/history-batch.ts';
import { EncodedHistory } from '../service/encoded-history.ts';
import type { HistoryEvent } from '../core/proto.ts';
import type { Scenario } from '../../test/engine-world.ts';

const namespace = 'default';
const { History } = proto.temporal.api.history.v1;

const encodedBytes = (events: readonly HistoryEvent[]): number =>
  History.encode({ events: [...events] }).finish().length;

/** A run of several commits; its history, as the process that wrote it has it. */
async function timersAndSignals(host: Host): Promise<HistoryEvent[]> {
  await host.start('a');
  for (let index = 0; index < 5; index += 1) {
    await host.turn([timer(`t${index}`, 1_000)]);
    await host.signal('a');
  }
  return host.history('a');
}

export function describeHistory(scenario: Scenario): void {
  scenario(
    'A started task tells the size of the history before it, also of what its own commit writes (WT-10)',
    async (host, world) => {
      const taskQueue = { name: 'orders' };
      const poll = host.service.pollWorkflowTaskQueue({ namespace, taskQueue });
      await world.clock.settle();
      await host.start('a');
      // With the next task in the reply, so that all of it is one commit.
      await host.complete(await poll, [], {
        returnNewWorkflowTask: true,
        forceCreateNewWorkflowTask: true,
      });
      const events = await host.history('a');
      const sizes = events.flatMap(({ workflowTaskStartedEventAttributes: started }, index) =>
        started ? [[Number(started.historySizeBytes), encodedBytes(events.slice(0, index))]] : [],
      );
      expect(sizes).toHaveLength(2);
      for (const [told, size] of sizes) expect(told).toBe(size);
      const { workflowExecutionInfo } = await host.describe('a');
      expect(Number(workflowExecutionInfo?.historySizeBytes)).toBe(encodedBytes(events));
    },
  );

  scenario('Pages make the whole history, each event once (section 14)', async (host) => {
    await host.start('a');
    for (let index = 0; index < 20; index += 1) await host.signal('a');
    expect(await host.history('a', '', 7)).toHaveLength(22);
    expect(await host.history('a', '', 22)).toHaveLength(22);
    expect((await refused(host.history('a', '', -1))).code).toBe('INVALID_ARGUMENT');
  });

  scenario(
    'A history that is read from the store is the one that was written (EV-2)',
    async (host, world) => {
      const written = await timersAndSignals(host);
      const other = await world.host();
      expect((await other.history('a')).map(bytesOf)).toEqual(written.map(bytesOf));
    },
  );

  scenario(
    'Pages of what lies in the store are its bytes, cut between events (section 14)',
    async (host, world) => {
      const written = await timersAndSignals(host);
      const other = await world.host();
      const pages: Uint8Array[] = [];
      let nextPageToken: Uint8Array | null | undefined;
      do {
        const page = await other.service.getWorkflowExecutionHistory({
          namespace,
          execution: { workflowId: 'a' },
          maximumPageSize: 4,
          nextPageToken: nextPageToken ?? null,
        });
        expect(page.history).toBeInstanceOf(EncodedHistory);
        pages.push((page.history as EncodedHistory).bytes);
        nextPageToken = page.nextPageToken;
      } while (nextPageToken && nextPageToken.length > 0);
      expect(pages.length).toBe(Math.ceil(written.length / 4));
      expect(decodeBatch(Buffer.concat(pages)).map(bytesOf)).toEqual(written.map(bytesOf));
    },
  );

  scenario('A reverse history has the newest first, page by page (EV-1)', async (host) => {
    await host.start('a');
    for (let index = 0; index < 10; index += 1) await host.signal('a');
    const ids: number[] = [];
    let nextPageToken: Uint8Array | null | undefined;
    do {
      const page = await host.service.getWorkflowExecutionHistoryReverse({
        namespace,
        execution: { workflowId: 'a' },
        maximumPageSize: 5,
        nextPageToken: nextPageToken ?? null,
      });
      ids.push(...eventIds(page));
      nextPageToken = page.nextPageToken;
    } while (nextPageToken && nextPageToken.length > 0);
    expect(ids).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  });

  scenario('A long poll waits for what comes next (section 14)', async (host, world) => {
    await host.start('a');
    const first = await newEvents(host);
    expect(eventIds(first)).toEqual([1, 2]);
    const waiting = newEvents(host, first.nextPageToken);
    await world.clock.advance(10_000);
    await host.signal('a');
    const second = await waiting;
    expect(eventIds(second)).toEqual([3]);
    await host.terminate('a');
    const last = await newEvents(host, second.nextPageToken);
    expect((last.history?.events ?? []).map(nameOf)).toEqual(['WorkflowExecutionTerminated']);
    expect(last.nextPageToken ?? []).toHaveLength(0);
  });

  scenario(
    'A long poll to which nothing comes ends empty, with a token to go on (section 14)',
    async (host, world) => {
      await host.start('a');
      const first = await newEvents(host);
      const waiting = newEvents(host, first.nextPageToken);
      await world.clock.advance(20_000);
      const second = await waiting;
      expect(eventIds(second)).toEqual([]);
      await host.signal('a');
      expect(eventIds(await newEvents(host, second.nextPageToken))).toEqual([3]);
    },
  );

  scenario('A wait for the close event ends with it (section 14)', async (host, world) => {
    await host.start('a');
    const waiting = host.waitForClose('a');
    await host.signal('a');
    await world.clock.advance(5_000);
    await host.turn([completeRun()]);
    const reply = await waiting;
    expect((reply.history?.events ?? []).map(nameOf)).toEqual(['WorkflowExecutionCompleted']);
    expect(reply.nextPageToken ?? []).toHaveLength(0);
    const again = await host.waitForClose('a');
    expect((again.history?.events ?? []).map(nameOf)).toEqual(['WorkflowExecutionCompleted']);
  });

  scenario(
    'A wait for the close event goes on with its token (section 14)',
    async (host, world) => {
      await host.start('a');
      const first = host.waitForClose('a');
      await world.clock.advance(20_000);
      const { history, nextPageToken } = await first;
      expect(history?.events).toEqual([]);
      const second = host.waitForClose('a', '', nextPageToken ?? undefined);
      await world.clock.advance(1_000);
      await host.terminate('a');
      expect(eventIds(await second)).toEqual([3]);
    },
  );

  scenario('A wait ends with what another process writes (section 14)', async (host, world) => {
    const other = await world.host();
    await host.start('a');
    const waiting = other.waitForClose('a');
    await world.clock.advance(2_000);
    await host.terminate('a');
    await world.clock.advance(1_000);
    expect(eventIds(await waiting)).toEqual([3]);
  });

  scenario('A wait ends when its run is deleted (DL-1)', async (host, world) => {
    const runId = await host.start('a');
    const waiting = host.waitForClose('a', runId).then(eventIds, (error: unknown) => error);
    await world.clock.settle();
    await host.delete('a');
    await world.clock.settle();
    // It saw the end of the run, or that it is gone.
    expect(await waiting).toSatisfy(
      (outcome) => Array.isArray(outcome) || (outcome as { code?: string }).code === 'NOT_FOUND',
    );
  });

  scenario('A token of another run or none of ours is refused (section 15)', async (host) => {
    await host.start('a');
    const runId = await host.start('b');
    const page = await newEvents(host);
    const execution = { workflowId: 'b', runId };
    const foreign = { namespace, execution, nextPageToken: page.nextPageToken ?? null };
    expect((await refused(host.service.getWorkflowExecutionHistory(foreign))).code).toBe(
      'INVALID_ARGUMENT',
    );
    const forged = { namespace, execution, nextPageToken: new Uint8Array([1, 2, 3]) };
    expect((await refused(host.service.getWorkflowExecutionHistory(forged))).code).toBe(
      'INVALID_ARGUMENT',
    );
  });

  scenario('A closed run cannot be terminated (TR-1)', async (host) => {
    await host.start('a');
    await host.terminate('a');
    expect((await host.names('a')).at(-1)).toBe('WorkflowExecutionTerminated');
    expect((await refused(host.terminate('a'))).code).toBe('NOT_FOUND');
    expect((await refused(host.terminate('b'))).code).toBe('NOT_FOUND');
  });

  scenario('Terminating ends a started task first (EV-1)', async (host) => {
    await host.start('a');
    await host.poll();
    await host.signal('a');
    await host.terminate('a');
    expect(await host.names('a', '', 4)).toEqual([
      'WorkflowTaskFailed',
      'WorkflowExecutionSignaled',
      'WorkflowExecutionTerminated',
    ]);
  });

  scenario('Deleting a running run ends it and leaves nothing (DL-1)', async (host) => {
    const runId = await host.start('a');
    await host.delete('a');
    expect((await refused(host.describe('a'))).code).toBe('NOT_FOUND');
    expect((await refused(host.history('a', runId))).code).toBe('NOT_FOUND');
    expect(await host.listed()).toEqual([]);
    expect(await host.tryPoll()).toBeUndefined();
    expect((await refused(host.delete('a'))).code).toBe('NOT_FOUND');
    await host.start('a');
    expect(await host.status('a')).toBe('RUNNING');
  });

  scenario('A run deleted by one process is gone for the other (DL-1)', async (host, world) => {
    const other = await world.host();
    const runId = await host.start('a');
    await other.signal('a', 'go', '', runId);
    await host.delete('a');
    expect((await refused(other.describe('a', runId))).code).toBe('NOT_FOUND');
    expect((await refused(other.signal('a', 'go', '', runId))).code).toBe('NOT_FOUND');
  });

  scenario(
    'A closed run is kept for its retention and then deleted (DL-1)',
    async (host, world) => {
      await host.start('a');
      await host.start('b');
      await host.turn([completeRun()]);
      await world.clock.advance(590_000);
      expect(await host.listed()).toEqual(['a', 'b']);
      await world.clock.advance(75_000);
      expect(await host.listed()).toEqual(['b']);
      expect((await refused(host.describe('a'))).code).toBe('NOT_FOUND');
    },
    { retentionMs: 600_000 },
  );

  scenario('A start timeout of the whole chain is described (MS-2)', async (host) => {
    await host.start('a', { workflowRunTimeout: durationOf(60_000) });
    const { executionConfig } = await host.describe('a');
    expect(executionConfig?.workflowRunTimeout).toEqual(durationOf(60_000));
  });
}

function newEvents(host: Host, nextPageToken?: Uint8Array | null) {
  return host.service.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId: 'a' },
    waitNewEvent: true,
    nextPageToken: nextPageToken ?? null,
  });
}

/** Events compared by what they say, not by how a decoder makes its objects. */
function bytesOf(event: HistoryEvent): Uint8Array {
  return proto.temporal.api.history.v1.HistoryEvent.encode(event).finish();
}
