import { describe, expect, it } from 'vitest';
import type { Logger } from '../service/logger.ts';
import { ServiceError } from '../service/service-error.ts';
import { StoreError, type StoreErrorCode } from '../store/store.ts';
import { StoreOutage } from './store-outage.ts';

function outage(): { readonly outage: StoreOutage; readonly lines: string[] } {
  const lines: string[] = [];
  const say = (message: string): void => void lines.push(message);
  const logger: Logger = { debug: () => undefined, info: say, warn: say, error: say };
  return { outage: new StoreOutage(logger), lines };
}

const trouble = (code: StoreErrorCode) => ({ error: new StoreError(code, code) });
const gone = expect.stringContaining('cannot be used for now');
const back = 'The store can be used again';

describe('an outage of the store', () => {
  it('is told when it begins and when three looks around found nothing wrong', () => {
    const { outage: store, lines } = outage();
    for (let i = 0; i < 100; i += 1) store.logger.error('A commit', trouble('STORE_UNREACHABLE'));
    store.looked();
    store.looked();
    store.logger.warn('The look', trouble('STORE_UNREACHABLE'));
    store.looked();
    store.looked();
    expect(lines).toEqual([gone]);
    store.looked();
    store.looked();
    expect(lines).toEqual([gone, back]);
    store.logger.error('A commit', trouble('STORE_UNREACHABLE'));
    expect(lines).toEqual([gone, back, gone]);
  });

  it('is told again when its reason is another', () => {
    const { outage: store, lines } = outage();
    store.logger.error('A commit', trouble('STORE_UNREACHABLE'));
    store.logger.error('A commit', trouble('STORE_BUSY'));
    store.logger.error('A commit', trouble('STORE_UNREACHABLE'));
    expect(lines).toEqual([gone, gone]);
  });

  it('of a disk that is full is over when something was written', () => {
    const { outage: store, lines } = outage();
    store.logger.error('A commit', trouble('STORE_DISK_FULL'));
    for (let i = 0; i < 10; i += 1) store.looked();
    expect(lines).toEqual([gone]);
    store.wrote();
    store.looked();
    expect(lines).toEqual([gone, back]);
  });

  it('hides no other error, and is seen in the cause of one', () => {
    const { outage: store, lines } = outage();
    store.logger.error('damaged', trouble('STORE_CORRUPT'));
    store.logger.error('ours', { error: new TypeError('a bug') });
    store.logger.info('plain');
    const { error } = trouble('STORE_UNREACHABLE');
    const refused = new ServiceError({ code: 'UNAVAILABLE', message: 'x' }, { cause: error });
    store.logger.error('caused', { error: refused });
    expect(lines).toEqual(['damaged', 'ours', 'plain', gone]);
  });
});
