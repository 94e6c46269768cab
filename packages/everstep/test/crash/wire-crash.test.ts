/** A small round of the kills over the wire; `npm run crash -- --wire --minutes N` has the long one. */
import { expect, it } from 'vitest';
import { quietWorkers } from '../conformance/gateway-host.ts';
import { WireRound } from './wire-round.ts';

it('every workflow of an official worker ends as it must when server and worker are killed again and again', async () => {
  quietWorkers();
  const report = await new WireRound({ seed: 7, ms: 2_000, killsLeast: 3, width: 3 }).run();
  expect(report.problems).toEqual([]);
  expect(report.journeys).toBeGreaterThanOrEqual(3);
  expect(report.runs).toBeGreaterThanOrEqual(report.journeys * 2);
  expect(report.kills.server + report.kills.worker).toBeGreaterThanOrEqual(3);
}, 300_000);
