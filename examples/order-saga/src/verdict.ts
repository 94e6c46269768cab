/** What must be true when all orders have ended, told apart from how they got there. */
import { isDeepStrictEqual } from 'node:util';
import type { Outcome } from './run.ts';

/** What is not as it should be; empty when all is right. */
export function verdict({ outcomes, shop }: Outcome): string[] {
  const expected: readonly [string, unknown, unknown][] = [
    ['the order that arrives', outcomes['lamp-1'], 'parcel lamp-1 to lisbon'],
    ['the order that cannot be shipped', outcomes['lamp-2'], 'no carrier goes to atlantis'],
    ['the order of what is sold out', outcomes['boat-1'], 'boat is sold out'],
    [
      'the order whose refund fails',
      outcomes['chair-1']?.replace(/Step "refund:1" failed: /, ''),
      `1 of the saga's undoings failed: the account of chair-1 is closed. It was undone because of: Step "ship" failed: no carrier goes to atlantis`,
    ],
    // One lamp left the shop; that of the second order was released, and so was the chair.
    ['the stock', Object.fromEntries(shop.stock), { lamp: 4, chair: 2 }],
    ['the payments', Object.fromEntries(shop.payments), { 'lamp-1': 4900, 'chair-1': 12_000 }],
    ['the parcels', shop.parcels, ['lamp-1']],
  ];
  return expected
    .filter(([, actual, wanted]) => !isDeepStrictEqual(actual, wanted))
    .map(
      ([what, actual, wanted]) =>
        `${what}: ${JSON.stringify(actual)}; expected ${JSON.stringify(wanted)}`,
    );
}
