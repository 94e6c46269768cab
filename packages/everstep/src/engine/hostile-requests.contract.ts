import fc from 'fast-check';
import { expect } from 'vitest';
import { step } from '../../test/command-kit.ts';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario, World } from '../../test/engine-world.ts';
import { RequestMaker, requestMessage } from '../../test/request-maker.ts';
import type { Known } from '../../test/request-maker.ts';
import { inProcessConnection } from '../service/connection.ts';
import { GrpcError } from '../service/grpc-error.ts';
import { grpcStatus } from '../service/service-error.ts';

type Calls = Readonly<Record<string, (request: unknown) => Promise<unknown>>>;

const numRuns = 300;

export function describeHostileRequests(scenario: Scenario): void {
  for (const kind of ['typed', 'spoilt'] as const) {
    const what = kind === 'typed' ? 'senseless values' : 'values of wrong types';
    scenario(
      `A request with ${what} is refused or served, and is no bug (15)`,
      async (host, world) => {
        const known = await atWork(host);
        await fc.assert(
          fc.asyncProperty(
            fc.constantFrom(...rpcs(host)),
            fc.integer(),
            async (rpc, requestSeed) => {
              const request = new RequestMaker(requestSeed, known)[kind](requestMessage(rpc));
              const error = await ended(host, world, rpc, request);
              if (error === undefined) return;
              expect(error).toBeInstanceOf(GrpcError);
              const { code, message } = error as GrpcError;
              expect([code, message]).not.toEqual([grpcStatus.INTERNAL, message]);
              world.check();
            },
          ),
          // A failure prints its seed, and there is nothing smaller to look for.
          { numRuns, endOnFailure: true },
        );
        await host.start('unharmed');
        expect(await host.names('unharmed')).toHaveLength(2);
      },
    );
  }
}

/** A run with a workflow task and a step that somebody works on. */
async function atWork(host: Host): Promise<Known> {
  const runId = await host.start('a');
  await host.turn([step('s')]);
  const held = await host.pollStep();
  await host.signal('a');
  const task = await host.poll();
  return {
    texts: ['a', runId, 's', 'orders', 'steps', 'default', 'Order'],
    bytes: [held.taskToken ?? new Uint8Array(), task.taskToken ?? new Uint8Array()],
  };
}

function rpcs(host: Host): string[] {
  return Object.keys(host.service).filter((name) => name !== 'attachWorker');
}

/** What the call ended with, undefined when it was answered. A call that waits is given up. */
async function ended(host: Host, world: World, rpc: string, request: unknown): Promise<unknown> {
  const connection = inProcessConnection(host.service, world.clock.view());
  const calls = connection.workflowService as unknown as Calls;
  const giveUp = new AbortController();
  const call = connection
    .withAbortSignal(giveUp.signal, async () => calls[rpc]?.(request))
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  await world.clock.settle();
  giveUp.abort();
  return call;
}
