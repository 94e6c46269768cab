/** Search attributes that may be set, and what queries make of their types. */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { expect } from 'vitest';
import { decoded, refused } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';
import { Schedules, every, scheduleOf } from '../../test/schedule-kit.ts';
import type { Command, Payload } from '../core/proto.ts';

const { CommandType, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;
type SearchAttributes = temporal.api.common.v1.ISearchAttributes;

const registered = {
  MyText: 'Text',
  MyKeyword: 'Keyword',
  MyInt: 'Int',
  MyDouble: 'Double',
  MyBool: 'Bool',
  MyDatetime: 'Datetime',
  MyKeywordList: 'KeywordList',
} as const;

function attributes(values: Readonly<Record<string, unknown>>): SearchAttributes {
  const encoder = new TextEncoder();
  const payload = (value: unknown): Payload => ({
    metadata: { encoding: encoder.encode('json/plain') },
    data: encoder.encode(JSON.stringify(value)),
  });
  const fields = Object.entries(values).map(([name, value]) => [name, payload(value)] as const);
  return { indexedFields: Object.fromEntries(fields) };
}

const flawed: readonly [Readonly<Record<string, unknown>>, string][] = [
  [{ Nope: 1 }, 'Namespace default has no mapping defined for search attribute Nope'],
  [{ constructor: 1 }, 'Namespace default has no mapping defined for search attribute constructor'],
  [{ WorkflowType: 'x' }, "WorkflowType attribute can't be set in SearchAttributes"],
  [{ MyInt: 'x' }, 'invalid value for search attribute MyInt of type Int: x'],
  [{ MyDatetime: 'soon' }, 'invalid value for search attribute MyDatetime of type Datetime: soon'],
];

const commands: Readonly<Record<string, (given: SearchAttributes) => Command>> = {
  upsert: (searchAttributes) => ({
    commandType: CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    upsertWorkflowSearchAttributesCommandAttributes: { searchAttributes },
  }),
  child: (searchAttributes) => ({
    commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
    startChildWorkflowExecutionCommandAttributes: {
      workflowId: 'child',
      workflowType: { name: 'Parcel' },
      taskQueue: { name: 'parcels' },
      searchAttributes,
    },
  }),
  next: (searchAttributes) => ({
    commandType: CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
    continueAsNewWorkflowExecutionCommandAttributes: {
      workflowType: { name: 'Order' },
      taskQueue: { name: 'orders' },
      searchAttributes,
    },
  }),
};

/** a and b are at the same time, c a year and a half second later, d has none. */
async function crowd(host: Host): Promise<void> {
  await host.register(registered);
  const all = {
    a: {
      MyInt: 5,
      MyDouble: 1.5,
      MyBool: true,
      MyDatetime: '2020-06-01T00:00:00Z',
      MyKeyword: 'Hello World',
      MyText: 'The quick brown-fox jumps',
      MyKeywordList: ['red', 'green'],
    },
    b: {
      MyInt: 10,
      MyDouble: 2.5,
      MyBool: false,
      MyDatetime: '2020-06-01T02:00:00+02:00',
      MyKeyword: 'hello',
      MyText: 'Quick silver',
      MyKeywordList: ['red'],
    },
    c: {
      MyInt: -3,
      MyDatetime: '2021-06-01T00:00:00.5Z',
      MyKeyword: 'Hello',
      TemporalScheduledStartTime: '2022-01-01T00:00:00Z',
    },
    d: {},
  };
  for (const [id, values] of Object.entries(all)) {
    await host.start(id, { searchAttributes: attributes(values) });
  }
}

const answers: Readonly<Record<string, string>> = {
  'MyInt = 5': 'a',
  'MyInt > 4.5': 'ab',
  'MyInt IN (5, 10)': 'ab',
  'MyInt NOT BETWEEN 0 AND 7': 'bc',
  'MyInt = -3': 'c',
  'MyInt = 1e1': 'b',
  'MyInt IS NULL': 'd',
  'NOT MyInt = 5': 'bc',
  'MyDouble > 2': 'b',
  'MyBool = true': 'a',
  'MyBool != TRUE': 'b',
  "MyDatetime = '2020-06-01T03:00:00+03:00'": 'ab',
  "MyDatetime > '2020-06-01T00:00:00Z'": 'c',
  "MyDatetime >= '2021-06-01T00:00:00.500Z'": 'c',
  'MyDatetime = 1590969600000000000': 'ab',
  "MyDatetime BETWEEN '2020-01-01T00:00:00Z' AND '2020-12-31T00:00:00Z'": 'ab',
  "TemporalScheduledStartTime > '2021-12-31T23:30:00-01:00'": '',
  "ScheduledStartTime = '2022-01-01T01:00:00+01:00'": 'c',
  "MyKeyword = 'Hello'": 'c',
  "MyKeyword STARTS_WITH 'Hello'": 'ac',
  "MyKeyword BETWEEN 'A' AND 'I'": 'ac',
  "MyText = 'QUICK'": 'ab',
  "MyText = 'silver jumps'": 'ab',
  "MyText = 'qui'": '',
  "MyText = '-'": '',
  "MyText != 'silver'": 'acd',
  "NOT MyText = 'silver'": 'acd',
  "MyKeywordList = 'red'": 'ab',
  "MyKeywordList != 'green'": 'bcd',
  "MyKeywordList NOT IN ('green', 'blue')": 'bcd',
  'MyKeywordList IS NOT NULL': 'ab',
  "StartTime > '2020-01-01T00:00:00Z'": 'abcd',
  "CloseTime > '2020-01-01T00:00:00Z'": '',
  "ExecutionDuration > '1s'": '',
  'ExecutionStatus = 1': 'abcd',
  "ExecutionStatus = 'WORKFLOW_EXECUTION_STATUS_RUNNING'": 'abcd',
  'ExecutionStatus != 1': '',
  "ScheduleId = 'a'": 'a',
};

const refusedQueries = [
  "MyInt = 'x'",
  'MyInt = true',
  "MyInt IN (5, 'x')",
  "MyInt STARTS_WITH '5'",
  "MyDouble = 'x'",
  'MyBool BETWEEN false AND true',
  "MyBool = 'true'",
  "MyDatetime > '2020-06-01'",
  'MyDatetime < 1.5',
  "StartTime > '2020-01-01T00:00:00'",
  'MyKeyword = 5',
  'MyKeyword = Hello',
  "MyText IN ('quick')",
  "MyText > 'a'",
  "MyText = ''",
  "MyKeywordList STARTS_WITH 'r'",
  'MyKeywordList = 5',
  "Nope = 'x'",
  "constructor = 'x'",
  'WorkflowType = 5',
  "ExecutionDuration > 'x'",
  "ExecutionStatus = 'running'",
];

export function describeSearchAttributes(scenario: Scenario): void {
  scenario(
    'A start with an attribute that nobody knows, of the system, or of another type is refused (VS-2)',
    async (host, world) => {
      await host.register(registered);
      const { service } = host;
      for (const [values, message] of flawed) {
        const searchAttributes = attributes(values);
        const refusal = { code: 'INVALID_ARGUMENT', message };
        const start = {
          namespace: 'default',
          workflowId: 'a',
          workflowType: { name: 'Order' },
          taskQueue: { name: 'orders' },
          searchAttributes,
        };
        expect(await refused(service.startWorkflowExecution(start))).toMatchObject(refusal);
        expect(
          await refused(service.signalWithStartWorkflowExecution({ ...start, signalName: 'go' })),
        ).toMatchObject(refusal);
        const schedules = new Schedules(host);
        const schedule = scheduleOf(every(60_000));
        const ofAction = {
          ...schedule,
          action: { startWorkflow: { ...schedule.action?.startWorkflow, searchAttributes } },
        };
        expect(await refused(schedules.create('s', ofAction))).toMatchObject(refusal);
        expect(await refused(schedules.create('s', schedule, { searchAttributes }))).toMatchObject(
          refusal,
        );
      }
      await world.clock.settle();
      expect(await host.listed()).toEqual([]);
    },
  );

  scenario(
    'A command with such an attribute fails its workflow task (VS-2, WT-19)',
    async (host) => {
      await host.register(registered);
      for (const [name, command] of Object.entries(commands)) {
        for (const [index, [values, message]] of flawed.entries()) {
          const id = `${name}-${index}`;
          await host.start(id);
          const task = await host.poll();
          const refusal = await refused(host.complete(task, [command(attributes(values))]));
          expect(refusal.code).toBe('INVALID_ARGUMENT');
          expect(refusal.message).toMatch(/^BadSearchAttributes: /);
          expect(refusal.message).toContain(message);
          const failed = await host.event(id, 'WorkflowTaskFailed');
          expect(failed.workflowTaskFailedEventAttributes?.cause).toBe(
            WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
          );
          await host.terminate(id);
        }
      }
    },
  );

  scenario(
    'What was registered is known to another process within a second (VS-1)',
    async (host, world) => {
      const other = await world.host();
      await host.register({ Colour: 'Keyword' });
      await other.start('a', { searchAttributes: attributes({ Colour: 'red' }) });
      expect(await other.listed("Colour = 'red'")).toEqual(['a']);
      await world.clock.advance(1_000);
      await host.register({ Shape: 'Keyword' });
      await world.clock.advance(1_000);
      expect(await other.listed('Shape IS NULL')).toEqual(['a']);
    },
  );

  scenario('Queries compare by type (VS-1)', async (host) => {
    await crowd(host);
    const found: Record<string, string> = {};
    for (const query of Object.keys(answers)) found[query] = (await host.listed(query)).join('');
    expect(found).toEqual(answers);
  });

  scenario(
    'A query with a value or an operator of another type is refused (VS-1)',
    async (host) => {
      await crowd(host);
      for (const query of refusedQueries) {
        const { code } = await refused(host.list(query));
        expect({ query, code }).toEqual({ query, code: 'INVALID_ARGUMENT' });
      }
    },
  );

  scenario(
    'The duration of a closed run is found by text and by nanoseconds (VS-1)',
    async (host, world) => {
      await host.start('a');
      await world.clock.advance(90_000);
      await host.terminate('a');
      for (const query of ["= '1m30s'", "= '00:01:30'", "> '89.5s'", '= 90000000000', "< '1d'"]) {
        expect(await host.listed(`ExecutionDuration ${query}`)).toEqual(['a']);
      }
      expect(await host.listed("ExecutionDuration > '1.5m'")).toEqual([]);
    },
  );

  scenario('A schedule finds its workflows by time (VS-1, SC-1)', async (host, world) => {
    const schedules = new Schedules(host);
    await schedules.create('s', scheduleOf(every(60_000)));
    await world.clock.advance(60_000);
    const query = "TemporalScheduledById = 's' AND TemporalScheduledStartTime";
    const { executions } = await host.list(`${query} >= '2023-11-14T23:14:00+01:00'`);
    expect(executions).toHaveLength(1);
    const fields = executions?.[0]?.searchAttributes?.indexedFields ?? {};
    const time = decoded({ payloads: [fields['TemporalScheduledStartTime'] ?? {}] });
    expect(await host.listed(`${query} = '${String(time)}'`)).toHaveLength(1);
    expect(await host.listed(`${query} > '${String(time)}'`)).toEqual([]);
  });
}
