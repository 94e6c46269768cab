/** Who is compared: Everstep and its peers, each with what it needs. */

export const workNames = ['one-step', 'five-step', 'one after another'] as const;

export type WorkName = (typeof workNames)[number];

export type EngineName =
  'everstep' | 'dbos' | 'graphile-worker' | 'openworkflow' | 'bullmq' | 'restate';

export type ServerName = 'postgres' | 'redis' | 'redis-durable' | 'restate';

export interface Contender {
  /** As the rows name it. */
  readonly title: string;
  readonly engine: EngineName;
  /** What is answered is on the disk. */
  readonly durable: boolean;
  readonly works: readonly WorkName[];
  /** Exact versions: a figure without its version says little. */
  readonly packages: Readonly<Record<string, string>>;
  /** Without one the engine keeps a file of its own. */
  readonly server?: ServerName;
}

/** A job queue has no steps: its job is the one step. */
const withoutSteps: readonly WorkName[] = ['one-step', 'one after another'];

const openWorkflow = {
  engine: 'openworkflow',
  durable: true,
  works: workNames,
  packages: { openworkflow: '0.10.1', postgres: '3.4.9' },
} as const;
const bullMq = {
  engine: 'bullmq',
  works: withoutSteps,
  packages: { bullmq: '6.7.0', ioredis: '6.0.0' },
} as const;

const everstep = { engine: 'everstep', durable: true, works: workNames, packages: {} } as const;

/** Everstep by the store that it is compared on. */
export const everstepOn = {
  sqlite: { ...everstep, title: 'Everstep + SQLite' },
  postgres: { ...everstep, title: 'Everstep + PostgreSQL', server: 'postgres' },
} as const satisfies Readonly<Record<string, Contender>>;

export const peers: readonly Contender[] = [
  {
    title: 'DBOS + PostgreSQL',
    engine: 'dbos',
    durable: true,
    works: workNames,
    packages: { '@dbos-inc/dbos-sdk': '5.3.0' },
    server: 'postgres',
  },
  {
    title: 'graphile-worker + PostgreSQL',
    engine: 'graphile-worker',
    durable: true,
    works: withoutSteps,
    packages: { 'graphile-worker': '0.17.3' },
    server: 'postgres',
  },
  {
    ...openWorkflow,
    title: 'OpenWorkflow + SQLite',
  },
  {
    ...openWorkflow,
    title: 'OpenWorkflow + PostgreSQL',
    server: 'postgres',
  },
  {
    title: 'Restate',
    engine: 'restate',
    durable: true,
    works: workNames,
    packages: {
      '@restatedev/restate-server': '1.7.12',
      '@restatedev/restate-sdk': '1.17.2',
      '@restatedev/restate-sdk-clients': '1.17.2',
    },
    server: 'restate',
  },
  { ...bullMq, title: 'BullMQ + Redis, AOF always', durable: true, server: 'redis-durable' },
  // As Redis comes: snapshots now and then, so a crash loses minutes.
  { ...bullMq, title: 'BullMQ + Redis, not durable', durable: false, server: 'redis' },
];

/** How much of each work there is at most for `n` one-step tasks. */
export const amountOf: Readonly<Record<WorkName, (n: number) => number>> = {
  'one-step': (n) => n,
  'five-step': (n) => Math.ceil(n / 5),
  'one after another': (n) => Math.ceil(n / 5),
};
