import proto from '@temporalio/proto';
import fc from 'fast-check';
import Long from 'long';
import { expect, it } from 'vitest';
import { decodeBatch, encodeBatch } from './history-batch.ts';
import { EventType } from './proto.ts';
import type { HistoryEvent } from './proto.ts';

const { History } = proto.temporal.api.history.v1;

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ minLength: 100, maxLength: 300 }),
);
const int64 = fc.tuple(fc.integer(), fc.integer()).map(([low, high]) => new Long(low, high));
const time = fc.record({
  seconds: int64,
  nanos: fc.integer({ min: -999_999_999, max: 999_999_999 }),
});
const payloads = fc.record({
  payloads: fc.array(
    fc.record({
      metadata: fc.dictionary(text, fc.uint8Array({ maxLength: 200 }), { maxKeys: 3 }),
      data: fc.uint8Array({ maxLength: 70_000 }),
    }),
    { maxLength: 3 },
  ),
});
const anyEvent: fc.Arbitrary<HistoryEvent> = fc.oneof(
  fc.record({
    eventId: int64,
    eventTime: time,
    eventType: fc.constant(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED),
    version: int64,
    workerMayIgnore: fc.boolean(),
    activityTaskScheduledEventAttributes: fc.record({
      activityId: text,
      activityType: fc.record({ name: text }),
      input: payloads,
      startToCloseTimeout: time,
      retryPolicy: fc.record({
        backoffCoefficient: fc.double({ noNaN: true }),
        maximumAttempts: fc.integer(),
        nonRetryableErrorTypes: fc.array(text),
      }),
      useWorkflowBuildId: fc.boolean(),
    }),
  }),
  fc.record({
    eventId: int64,
    eventType: fc.constant(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED),
    userMetadata: fc.record({ summary: fc.record({ data: fc.uint8Array() }) }),
    links: fc.array(
      fc.record({ workflowEvent: fc.record({ namespace: text, workflowId: text, runId: text }) }),
    ),
    workflowExecutionSignaledEventAttributes: fc.record({ signalName: text, input: payloads }),
  }),
);

it('writes what protobufjs writes', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 5 }), (events) => {
      const bytes = encodeBatch(events);
      expect(plain(decodeBatch(bytes))).toEqual(
        plain(History.decode(History.encode({ events }).finish()).events),
      );
      // What was decoded says the same once more, though its fields may stand in another order.
      expect(plain(decodeBatch(encodeBatch(decodeBatch(bytes))))).toEqual(
        plain(decodeBatch(bytes)),
      );
    }),
    { numRuns: 200 },
  );
});

it('leaves nothing behind when a value cannot be written', () => {
  const broken = { eventId: 'no number' } as unknown as HistoryEvent;
  const event = { eventId: Long.fromInt(1), eventType: EventType.EVENT_TYPE_TIMER_FIRED };
  const before = encodeBatch([event]);
  expect(() => encodeBatch([event, broken])).toThrow('Cannot convert no number to a BigInt');
  expect(encodeBatch([event])).toEqual(before);
});

function plain(events: readonly HistoryEvent[]): unknown {
  return events.map((event) =>
    proto.temporal.api.history.v1.HistoryEvent.fromObject(event).toJSON(),
  );
}
