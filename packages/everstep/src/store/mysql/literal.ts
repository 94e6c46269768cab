/**
 * Values as they stand in SQL. Statements are sent with their values in them, because several go in one packet, which
 * prepared statements cannot. What is not plain is written in hexadecimal digits, so that nothing in it has a meaning
 * in SQL, whatever the session's sql_mode and character set.
 */

export type SqlValue = null | number | string | boolean | Uint8Array;

export function literal(value: SqlValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'NULL';
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'string') {
    return isPlain.test(value) ? `'${value}'` : hexadecimal(Buffer.from(value));
  }
  return hexadecimal(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
}

/** For functions that want text and not bytes. */
export function textLiteral(value: string): string {
  return isPlain.test(value) ? `_utf8mb4'${value}'` : `_utf8mb4 ${hexadecimal(Buffer.from(value))}`;
}

/** In brackets; of nothing a list that nothing is in. */
export function listOf(values: readonly SqlValue[]): string {
  return values.length === 0 ? '(NULL)' : `(${values.map(literal).join(', ')})`;
}

const isPlain = /^[A-Za-z0-9_.:/@ -]*$/;

function hexadecimal(bytes: Buffer): string {
  return bytes.length === 0 ? `''` : `X'${bytes.toString('hex')}'`;
}
