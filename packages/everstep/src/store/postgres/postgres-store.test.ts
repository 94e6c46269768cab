import { describe } from 'vitest';
import { PostgresSchema, postgresMissing } from '../../../test/databases/shared-postgres.ts';
import { describeStore } from '../store.contract.ts';

describe.skipIf(postgresMissing)(`on PostgreSQL ${postgresMissing ?? ''}`, () => {
  const schema = new PostgresSchema('store');

  describeStore('postgres', () => ({
    handle: () => schema.store('own'),
    durable: true,
    clean: () => schema.empty(),
  }));
});
