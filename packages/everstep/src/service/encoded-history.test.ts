import proto from '@temporalio/proto';
import { expect, it } from 'vitest';
import { EncodedHistory } from './encoded-history.ts';

it('has the events of its bytes, decoded once', () => {
  const { History } = proto.temporal.api.history.v1;
  const written = History.fromObject({ events: [{ version: 3 }, { version: 4 }] });
  const bytes = History.encode(written).finish();
  const history = new EncodedHistory(bytes);
  expect(history.events.map(({ version }) => Number(version))).toEqual([3, 4]);
  expect(history.events).toBe(history.events);
});
