import { describe } from 'vitest';
import { PostgresSchema, postgresMissing } from '../../test/databases/shared-postgres.ts';
import { describeEngine } from './engine.contract.ts';

describe.skipIf(postgresMissing)(`on PostgreSQL ${postgresMissing ?? ''}`, () => {
  const schema = new PostgresSchema('engine');

  describeEngine('postgres', () => ({
    handle: () => schema.store('shared'),
    durable: true,
    isBusy: () => schema.isBusy(),
    clean: () => schema.empty(),
  }));
});
