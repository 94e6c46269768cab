/** Page tokens. A forged or foreign one is INVALID_ARGUMENT, never an internal error. */
import { ServiceError } from '../service/service-error.ts';
import type { ListCursor } from '../store/store.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export interface HistoryPage {
  readonly runId: string;
  readonly nextEventId: number;
  /** A worker reads on: its task's events that are not in the history stand at the end of the last page (WT-3). */
  readonly forTask?: boolean;
}

export function encodeHistoryPage(page: HistoryPage): Uint8Array {
  return encoder.encode(
    JSON.stringify(['h', page.runId, page.nextEventId, ...(page.forTask ? [1] : [])]),
  );
}

export function decodeHistoryPage(bytes: Uint8Array | null | undefined): HistoryPage | undefined {
  if (!bytes || bytes.length === 0) return undefined;
  const [letter, runId, nextEventId, forTask] = parse(bytes);
  if (letter !== 'h' || typeof runId !== 'string' || !isCount(nextEventId)) throw badToken();
  return { runId, nextEventId, forTask: forTask === 1 };
}

export function encodeListPage(cursor: ListCursor): Uint8Array {
  return encoder.encode(JSON.stringify(['l', cursor.startTime, cursor.ref]));
}

export function decodeListPage(bytes: Uint8Array | null | undefined): ListCursor | undefined {
  if (!bytes || bytes.length === 0) return undefined;
  const [letter, startTime, ref] = parse(bytes);
  if (letter !== 'l' || typeof startTime !== 'number' || !isCount(ref)) throw badToken();
  return { startTime, ref };
}

/** Where a list by key goes on: after that key. */
export function encodeKeyPage(key: string): Uint8Array {
  return encoder.encode(JSON.stringify(['k', key]));
}

export function decodeKeyPage(bytes: Uint8Array | null | undefined): string | undefined {
  if (!bytes || bytes.length === 0) return undefined;
  const [letter, key] = parse(bytes);
  if (letter !== 'k' || typeof key !== 'string') throw badToken();
  return key;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parse(bytes: Uint8Array): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    if (Array.isArray(value)) return value;
  } catch (cause) {
    throw badToken(cause);
  }
  throw badToken();
}

function badToken(cause?: unknown): ServiceError {
  return new ServiceError(
    { code: 'INVALID_ARGUMENT', message: 'Invalid NextPageToken.' },
    { cause },
  );
}
