import { describe } from 'vitest';
import { MariaDbDatabase, mariaDbMissing } from '../../test/databases/shared-mariadb.ts';
import { describeEngine } from './engine.contract.ts';

describe.skipIf(mariaDbMissing)(`on MariaDB ${mariaDbMissing ?? ''}`, () => {
  const database = new MariaDbDatabase('engine');

  describeEngine('mysql', () => ({
    handle: () => database.store('shared'),
    durable: true,
    isBusy: () => database.isBusy(),
    clean: () => database.empty(),
  }));
});
