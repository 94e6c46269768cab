/** Messages of the wire inside a stored state: their protobuf bytes in base64. */

export interface WireType<T> {
  encode(value: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

interface WireField<T> {
  readonly encode: (value: T) => string;
  readonly decode: (text: string) => T;
}

/** Memo, attributes and results stay the same object from commit to commit: their bytes are made once. */
const encoded = new WeakMap<object, string>();

export function wireField<T extends object>(type: WireType<T>): WireField<T> {
  return {
    encode(value) {
      let text = encoded.get(value);
      if (text === undefined) {
        text = base64(type.encode(value).finish());
        encoded.set(value, text);
      }
      return text;
    },
    decode: (text) => type.decode(bytesOf(text)),
  };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Copied: a slice of Node's shared pool would keep the whole pool alive. */
export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}
