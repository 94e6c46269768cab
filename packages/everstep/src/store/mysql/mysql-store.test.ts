import { describe } from 'vitest';
import { MariaDbDatabase, mariaDbMissing } from '../../../test/databases/shared-mariadb.ts';
import { describeStore } from '../store.contract.ts';

describe.skipIf(mariaDbMissing)(`on MariaDB ${mariaDbMissing ?? ''}`, () => {
  const database = new MariaDbDatabase('store');

  describeStore('mysql', () => ({
    handle: () => database.store('own'),
    durable: true,
    clean: () => database.empty(),
  }));
});
