/** What must and must not compile. `tsc` checks this file; the runner only sees that it is here. */
import { expectTypeOf, it } from 'vitest';
import {
  all,
  AsyncTask,
  AsyncTaskComponent,
  remoteJob,
  step,
  TemporalAsyncTask,
  type AnyAsyncTask,
  type StandardSchema,
  type StepContext,
  type TaskStatus,
} from '../../src/index.ts';

interface Image {
  readonly url: string;
  readonly width: number;
}

const single = new AsyncTask({
  name: 'types-single',
  task: async (params: { url: string }, activity) => {
    expectTypeOf(activity).toEqualTypeOf<StepContext>();
    return { url: params.url, width: 1 };
  },
});

const multi = new AsyncTask({
  name: 'types-multi',
  task: async function* (params: { url: string }) {
    const file = yield* step('fetch', async () => Buffer.from(params.url));
    expectTypeOf(file).toEqualTypeOf<Buffer<ArrayBuffer>>();
    const [width, name] = yield* all([step('width', () => 7), step('name', async () => 'x')]);
    expectTypeOf(width).toEqualTypeOf<number>();
    expectTypeOf(name).toEqualTypeOf<string>();
    const untyped: number = yield { key: 'plain', call: () => 1 };
    const image = yield* remoteJob({
      key: 'render',
      submit: async () => 'job-1',
      poll: async (job) => {
        expectTypeOf(job).toEqualTypeOf<string>();
        return { done: true, value: { url: job, width: untyped } };
      },
      every: '1s',
      timeout: '1h',
    });
    expectTypeOf(image).toEqualTypeOf<{ url: string; width: number }>();
    return image;
  },
});

const plainGenerator = new TemporalAsyncTask({
  name: 'types-plain',
  *task(params: { n: number }) {
    const doubled = yield* step('double', () => params.n * 2);
    return doubled;
  },
});

it('infers parameters and result from the task function', () => {
  expectTypeOf<Parameters<typeof single.submit>[0]>().toEqualTypeOf<{ url: string }>();
  expectTypeOf<Awaited<ReturnType<typeof single.result>>>().toEqualTypeOf<{
    url: string;
    width: number;
  }>();
  expectTypeOf<Parameters<typeof multi.submit>[0]>().toEqualTypeOf<{ url: string }>();
  expectTypeOf<Awaited<ReturnType<typeof multi.result>>>().toEqualTypeOf<{
    url: string;
    width: number;
  }>();
  expectTypeOf<Awaited<ReturnType<typeof multi.getStatus>>>().toEqualTypeOf<
    TaskStatus<{ url: string; width: number }>
  >();
  expectTypeOf<Awaited<ReturnType<typeof plainGenerator.result>>>().toEqualTypeOf<number>();
});

it('takes its type parameters given explicitly', () => {
  const task = new TemporalAsyncTask<{ id: string }, Image>({
    name: 'types-explicit',
    task: async ({ id }) => ({ url: id, width: 2 }),
  });
  expectTypeOf<Parameters<typeof task.submit>[0]>().toEqualTypeOf<{ id: string }>();
});

it('infers parameters from a schema', () => {
  const schema = {
    '~standard': { version: 1, vendor: 'x', validate: () => ({ value: { id: 'a' } }) },
  } as StandardSchema<unknown, { id: string }>;
  const task = new AsyncTask({
    name: 'types-schema',
    schema: { params: schema },
    task: async (params) => params.id.length,
  });
  expectTypeOf<Parameters<typeof task.submit>[0]>().toEqualTypeOf<{ id: string }>();
});

it('submits what the schema reads, and gives the task what the schema made of it', () => {
  const schema = {
    '~standard': { version: 1, vendor: 'x', validate: () => ({ value: { id: 'a', n: 3 } }) },
  } as StandardSchema<{ id: string | number; n?: number }, { id: string; n: number }>;
  const task = new AsyncTask({
    name: 'types-coercion',
    schema: { params: schema },
    task: async (params) => {
      expectTypeOf(params).toEqualTypeOf<{ id: string; n: number }>();
      return params.n;
    },
  });
  expectTypeOf<Parameters<typeof task.submit>[0]>().toEqualTypeOf<{
    id: string | number;
    n?: number;
  }>();
  expectTypeOf([task, single]).toExtend<AnyAsyncTask[]>();
  const explicit = new AsyncTask<{ id: string }, number>({
    name: 'types-explicit-schema',
    schema: { params: schema as unknown as StandardSchema<unknown, { id: string }> },
    task: async ({ id }) => id.length,
  });
  expectTypeOf<Parameters<typeof explicit.submit>[0]>().toEqualTypeOf<{ id: string }>();
  const annotated: AsyncTask<{ id: string; n: number }, number> = task;
  expectTypeOf(annotated).toBeObject();
});

it('submits a task without parameters with none', () => {
  const none = new AsyncTask({ name: 'types-none', task: async () => 1 });
  const maybe = new AsyncTask({ name: 'types-maybe', task: async (n?: number) => n ?? 1 });
  const right = (): unknown[] => [
    none.submit(),
    none.submit(undefined, { taskId: 'a' }),
    maybe.submit(),
    maybe.submit(1),
    // @ts-expect-error -- it has parameters
    single.submit(),
  ];
  expectTypeOf(right).toBeFunction();
  function generic<T>(task: AsyncTask<T>, params: T): Promise<string> {
    return task.submit(params);
  }
  expectTypeOf(generic).toBeFunction();
});

it('lets tasks of all types into one list', () => {
  expectTypeOf([single, multi, plainGenerator]).toExtend<AnyAsyncTask[]>();
  const component = new AsyncTaskComponent({ store: 'memory' });
  component.registerAll([single, multi, plainGenerator]);
});

it('refuses wrong parameters', () => {
  const wrong = (): unknown[] => [
    // @ts-expect-error -- url is a string
    single.submit({ url: 1 }),
    // @ts-expect-error -- url is missing
    multi.submit({}),
    // @ts-expect-error -- there is no such option
    single.submit({ url: 'x' }, { task: 'id' }),
    // @ts-expect-error -- a task needs a name
    new AsyncTask({ task: async () => 1 }),
  ];
  expectTypeOf(wrong).toBeFunction();
});
