import { expect, it } from 'vitest';
import { ManualClock } from '../../test/manual-clock.ts';
import { StepTarget } from './step-target.ts';

/** A process whose load is what each running step adds. */
function busy(perStep: { readonly cpu: number; readonly memory: number }, waiting: number) {
  const clock = new ManualClock(0);
  const state = { perStep, waiting, rooms: 0 };
  const running = (): number => Math.min(state.waiting, target.places);
  const target = new StepTarget({
    target: { cpu: 0.8, memory: 0.5 },
    stepsMax: 100,
    sampleLoad: () => ({
      cpu: running() * state.perStep.cpu,
      memory: running() * state.perStep.memory,
    }),
    taken: running,
    clock: clock.view(),
    onRoom: () => (state.rooms += 1),
  });
  target.start();
  return { clock, target, state };
}

it('gives more places while there is work and the load is below the target, up to it', async () => {
  const { clock, target, state } = busy({ cpu: 0.02, memory: 0.001 }, 1_000);
  expect(target.places).toBe(8);
  await clock.advance(60_000);
  expect(target.places * 0.02).toBeGreaterThan(0.6);
  expect(target.places * 0.02).toBeLessThanOrEqual(0.8 * 1.25);
  expect(state.rooms).toBeGreaterThan(3);
});

it('gives no more than the steps it was told, and none that nobody asks for', async () => {
  const idle = busy({ cpu: 0, memory: 0 }, 3);
  await idle.clock.advance(60_000);
  expect(idle.target.places).toBe(8);
  const light = busy({ cpu: 0, memory: 0 }, 1_000);
  await light.clock.advance(60_000);
  expect(light.target.places).toBe(100);
});

it('gives fewer while CPU or memory is over the target, and always one', async () => {
  const { clock, target, state } = busy({ cpu: 0.01, memory: 0.2 }, 1_000);
  await clock.advance(3_000);
  expect(target.places).toBeLessThanOrEqual(4);
  state.perStep = { cpu: 5, memory: 0 };
  await clock.advance(60_000);
  expect(target.places).toBe(1);
  state.perStep = { cpu: 0.01, memory: 0 };
  await clock.advance(60_000);
  expect(target.places).toBeGreaterThan(50);
});

it('looks no more once it was stopped', async () => {
  const { clock, target } = busy({ cpu: 0, memory: 0 }, 1_000);
  target.stop();
  await clock.advance(60_000);
  expect(target.places).toBe(8);
});
