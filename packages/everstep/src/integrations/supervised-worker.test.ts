import { expect, it } from 'vitest';
import { ManualClock } from '../../test/manual-clock.ts';
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import type { HeldWorker } from './held-worker.ts';
import { SupervisedWorker } from './supervised-worker.ts';

const silent: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const restart = { firstDelayMs: 1_000, delayMsMax: 8_000, resetAfterMs: 60_000 };

function ignore(): void {
  // Nobody reads it.
}

/** A worker that runs until the test says otherwise. */
class FakeHeld implements HeldWorker {
  readonly polls = 2;
  readonly running = 1;
  readonly ended: Promise<void>;
  #end: () => void = ignore;
  #fail: (error: Error) => void = ignore;

  constructor() {
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
  }

  fail(message: string): void {
    this.#fail(new TypeError(message));
  }

  async stop(): Promise<void> {
    this.#end();
    await this.ended;
  }
}

function supervised(launch: () => Promise<HeldWorker>): {
  clock: ManualClock;
  worker: SupervisedWorker;
  seen: () => object;
} {
  const clock = new ManualClock(0);
  const worker = new SupervisedWorker({
    name: 'mail',
    kind: 'tasks',
    taskQueue: 'mail-tasks',
    launch,
    clock: clock.view(),
    logger: silent,
    restart,
  });
  const seen = (): object => {
    const [status] = worker.status();
    const { state, since, polls, running, restarts, lastError } = status ?? {};
    return { state, since, polls, running, restarts, lastError };
  };
  return { clock, worker, seen };
}

const idle = { polls: 0, running: 0, restarts: 0, lastError: undefined };

it('goes from created to running to stopped, and may be started again', async () => {
  const { worker, seen } = supervised(() => Promise.resolve(new FakeHeld()));
  expect(seen()).toEqual({ ...idle, state: 'created', since: 0 });
  await worker.start();
  expect(seen()).toEqual({ ...idle, state: 'running', since: 0, polls: 2, running: 1 });
  await worker.stop();
  expect(seen()).toEqual({ ...idle, state: 'stopped', since: 0 });
  await worker.start();
  expect(seen()).toMatchObject({ state: 'running', restarts: 0 });
});

it('starts what ended unasked again, after a wait that doubles up to its limit', async () => {
  let held = new FakeHeld();
  const { clock, worker, seen } = supervised(() => Promise.resolve((held = new FakeHeld())));
  await worker.start();
  for (const [index, delayMs] of [1_000, 2_000, 4_000, 8_000, 8_000].entries()) {
    held.fail('it broke');
    await clock.settle();
    expect(seen()).toMatchObject({ state: 'backing-off', restarts: index, lastError: 'it broke' });
    await clock.advance(delayMs - 1);
    expect(worker.state).toBe('backing-off');
    await clock.advance(1);
    expect(seen()).toMatchObject({ state: 'running', restarts: index + 1 });
  }
});

it('begins with the shortest wait once it has run well', async () => {
  let held = new FakeHeld();
  const { clock, worker } = supervised(() => Promise.resolve((held = new FakeHeld())));
  await worker.start();
  held.fail('once');
  await clock.advance(1_000);
  held.fail('twice');
  await clock.advance(2_000);
  await clock.advance(60_000);
  held.fail('after a minute');
  await clock.settle();
  expect(worker.state).toBe('backing-off');
  await clock.advance(1_000);
  expect(worker.state).toBe('running');
});

it('tries again what could not start, but not what cannot be used as it is', async () => {
  const errors = [
    new TypeError('no connection'),
    new EverstepError('MODULE_LOAD_FAILED', 'it throws at import'),
  ];
  const { clock, worker, seen } = supervised(() => {
    const error = errors.shift();
    return error ? Promise.reject(error) : Promise.resolve(new FakeHeld());
  });
  await worker.start();
  expect(seen()).toMatchObject({ state: 'backing-off', lastError: 'no connection' });
  await clock.advance(1_000);
  expect(seen()).toMatchObject({ state: 'failed', lastError: 'it throws at import' });
  await clock.advance(1_000_000);
  expect(worker.state).toBe('failed');
  await worker.start();
  expect(worker.state).toBe('running');
});

it('is not started again once it was told to stop while it waits', async () => {
  let launched = 0;
  const { clock, worker } = supervised(() => {
    launched += 1;
    return Promise.reject(new TypeError('no'));
  });
  await worker.start();
  await worker.stop();
  expect(worker.state).toBe('stopped');
  await clock.advance(1_000_000);
  expect(launched).toBe(1);
});

it('stops what was told to stop while it started, and is refused a start while it drains', async () => {
  let up: (held: HeldWorker) => void = ignore;
  const launching = new Promise<HeldWorker>((resolve) => (up = resolve));
  const { worker } = supervised(() => launching);
  const starting = worker.start();
  const stopping = worker.stop();
  expect(worker.state).toBe('draining');
  await expect(worker.start()).rejects.toMatchObject({ code: 'COMPONENT_STATE' });
  up(new FakeHeld());
  await Promise.all([starting, stopping]);
  expect(worker.state).toBe('stopped');
});
