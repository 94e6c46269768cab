/** A server that ends at once under load, and is back after a while. */
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Load } from './load.ts';
import { ownServerKinds } from './own-server.ts';

/** npm run test:databases has it away for a minute. */
const awayMs = Number(process.env['EVERSTEP_SERVER_AWAY_SECONDS'] ?? 3) * 1_000;
/** Of one core, while somebody submits 40 times a second. */
const cpuShareMax = 0.6;
const backMsMax = 15_000;

describe.each(ownServerKinds)('a $kind that is away for a while', ({ missing, start }) => {
  it.skipIf(missing)(
    `refuses what is asked meanwhile, says so in two lines, and goes on with everything ${missing ?? ''}`,
    { timeout: awayMs + 180_000 },
    async () => {
      const server = await start();
      onTestFinished(() => server.remove());
      const load = new Load(server.url());
      onTestFinished(() => load.stop());
      await load.start();
      await load.until(50);
      expect(load.lines).toEqual([]);

      await server.end();
      const before = { at: performance.now(), cpu: process.cpuUsage() };
      await pause(awayMs);
      const { user, system } = process.cpuUsage(before.cpu);
      const share = (user + system) / 1_000 / (performance.now() - before.at);
      expect(load.waiting).toBeLessThan(10);
      await server.begin();
      const backAt = performance.now();
      await load.until(1);
      const firstMs = performance.now() - backAt;
      // Three quiet looks around, one a second.
      await pause(5_000);

      expect(await load.ended()).toEqual({ wrong: [], twice: [] });
      expect(load.refusals.size).toBeGreaterThan(0);
      for (const refusal of load.refusals.keys()) {
        expect(refusal).toMatch(/^SUBMIT_FAILED .*UNAVAILABLE.*(cannot be reached|broke off)/);
      }
      expect(load.lines).toEqual([
        expect.stringContaining('The store cannot be used for now'),
        'The store can be used again',
      ]);
      expect(firstMs).toBeLessThan(backMsMax);
      expect(share).toBeLessThan(cpuShareMax);
    },
  );
});
