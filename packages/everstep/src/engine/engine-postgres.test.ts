import { describe } from 'vitest';
import { PostgresSchema, postgresMissing } from '../../test/databases/shared-postgres.ts';
import { describeEngine } from './engine.contract.ts';

// It takes minutes: npm run test:databases, which CI runs too, has it.
const isAsked = process.env['EVERSTEP_ALL_ON_DATABASES'] !== undefined;

describe.skipIf(postgresMissing ?? !isAsked)(`on PostgreSQL ${postgresMissing ?? ''}`, () => {
  const schema = new PostgresSchema('engine');

  describeEngine('postgres', () => ({
    handle: () => schema.store('shared'),
    durable: true,
    isBusy: () => schema.isBusy(),
    clean: () => schema.empty(),
  }));
});
