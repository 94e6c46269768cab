/** What a test puts in the place of steps and activities. */
import type { PayloadConverter } from '@temporalio/common';
import type { Registrable } from '../component/async-task-component.ts';
import { EverstepError } from '../service/error-codes.ts';
import type { ActivityTask } from '../service/local-worker.ts';
import { Activity, type ActivityFunction } from '../tasks/activity.ts';
import type { StepContext, StepDescriptor } from '../tasks/definition.ts';

export type StepMock = (context: StepContext) => unknown;
export type ActivityMock<TInput, TResult> = (
  input: TInput,
  context: StepContext,
) => TResult | PromiseLike<TResult>;
/** An activity, a function that is one, or its name. */
export type MockedActivity<TInput, TResult> =
  Activity<TInput, TResult> | ActivityFunction<TInput, TResult> | string;

export class Mocks {
  readonly #payloads: () => PayloadConverter;
  /** By workflow type and key. */
  readonly #steps = new Map<string, StepMock>();
  readonly #activities = new Map<string, ActivityMock<never, unknown>>();
  /** Keys that came, by workflow type. */
  readonly #seen = new Map<string, Set<string>>();

  constructor(payloads: () => PayloadConverter) {
    this.#payloads = payloads;
  }

  setStep(item: Registrable, key: string, mock: StepMock): void {
    if (item instanceof Activity) {
      throw invalid('mockStep() was given an activity; expected a task or a workflow and a key');
    }
    if (typeof key !== 'string' || key === '') {
      throw invalid(`mockStep(): the key is ${String(key)}; expected the key of a step`);
    }
    checkFunction('mockStep()', mock);
    this.#steps.set(stepName(item.workflowType, key), mock);
  }

  setActivity<TInput, TResult>(
    activity: MockedActivity<TInput, TResult>,
    mock: ActivityMock<TInput, TResult>,
  ): void {
    checkFunction('mockActivity()', mock);
    const name = typeof activity === 'string' ? activity : activity.name;
    if (typeof name !== 'string' || name === '') {
      throw invalid('mockActivity(): the activity has no name');
    }
    this.#activities.set(name, mock as ActivityMock<never, unknown>);
  }

  /** Mocked keys that no step had, of tasks and workflows of which other steps ran. */
  unused(): readonly string[] {
    return [...this.#steps.keys()].flatMap((name) => {
      const [type = '', key = ''] = name.split('\0');
      const seen = this.#seen.get(type);
      return seen === undefined || seen.has(key) ? [] : [unusedText(type, key, seen)];
    });
  }

  /** Undefined when the step's own code is to run. */
  callOf(task: ActivityTask): StepDescriptor['call'] | undefined {
    const key = (task.activityId ?? '').replace(/#\d+$/, '');
    const type = task.workflowType?.name ?? '';
    const seen = this.#seen.get(type) ?? new Set();
    this.#seen.set(type, seen.add(key));
    const step = this.#steps.get(stepName(type, key));
    if (step !== undefined) return step;
    const activity = this.#activities.get(task.activityType?.name ?? '');
    if (activity === undefined) return undefined;
    const payload = task.input?.payloads?.[0];
    return (context) =>
      activity((payload ? this.#payloads().fromPayload(payload) : undefined) as never, context);
  }
}

/** What a mock of a misspelt key looks like in the end. */
function unusedText(type: string, key: string, seen: ReadonlySet<string>): string {
  const keys = [...seen].map((one) => JSON.stringify(one)).join(', ');
  return `mockStep(): ${type} ran no step ${JSON.stringify(key)}, so its mock was not used; the steps that ran are ${keys}`;
}

function stepName(workflowType: string, key: string): string {
  return `${workflowType}\0${key}`;
}

function checkFunction(method: string, mock: unknown): void {
  if (typeof mock === 'function') return;
  throw invalid(`${method}: the mock is ${String(mock)}; expected a function`);
}

function invalid(problem: string): EverstepError {
  return new EverstepError('TEST_OPTIONS_INVALID', `TestEnvironment: ${problem}.`);
}
