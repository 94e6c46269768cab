import { describe } from 'vitest';
import { PostgresSchema, postgresMissing } from '../../test/databases/shared-postgres.ts';
import { describeEngine } from './engine.contract.ts';

// npm run test:databases runs all subjects; npm test those in which the database has most to say.
const chosen =
  process.env['EVERSTEP_ALL_ON_DATABASES'] === undefined ? ['many processes'] : undefined;

describe.skipIf(postgresMissing)(`on PostgreSQL ${postgresMissing ?? ''}`, () => {
  const schema = new PostgresSchema('engine');

  describeEngine(
    'postgres',
    () => ({
      handle: () => schema.store('shared'),
      durable: true,
      isBusy: () => schema.isBusy(),
      clean: () => schema.empty(),
    }),
    chosen,
  );
});
