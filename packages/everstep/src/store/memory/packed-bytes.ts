/**
 * Bytes at rest. A small Uint8Array costs some 550 bytes beside its content, a string about 20: so a state or a batch
 * of events is kept as a string with one character a byte, and made into bytes again when it is read.
 */
export type PackedBytes = string | Uint8Array;

/** From here on the content outweighs what an array costs. */
const packedBytesMax = 4_096;

export function packBytes(bytes: Uint8Array): PackedBytes {
  return bytes.length > packedBytesMax
    ? new Uint8Array(bytes)
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function unpackBytes(packed: PackedBytes): Uint8Array {
  return typeof packed === 'string' ? new Uint8Array(Buffer.from(packed, 'latin1')) : packed;
}
