/**
 * protobuf bytes written straight into one buffer, in the place of protobufjs's own writer, which makes an object for
 * every value and walks them at the end. It has the methods that the generated encoders call.
 */
const startBytes = 64 * 1024;
/** A buffer that grew for one large message is not kept for ever. */
const keptBytesMax = 1024 * 1024;

interface Int64 {
  readonly low: number;
  readonly high: number;
}

export class WireWriter {
  #bytes = Buffer.allocUnsafeSlow(startBytes);
  #at = 0;
  readonly #starts: number[] = [];

  /** The bytes so far, as an array of their own; the writer is empty again. */
  finish(): Uint8Array {
    const bytes = Buffer.allocUnsafe(this.#at);
    this.#bytes.copy(bytes, 0, 0, this.#at);
    this.clear();
    return bytes;
  }

  clear(): void {
    this.#at = 0;
    this.#starts.length = 0;
    if (this.#bytes.length > keptBytesMax) this.#bytes = Buffer.allocUnsafeSlow(startBytes);
  }

  /** A message begins whose length is not known yet: one byte is kept for it, as most need. */
  fork(): this {
    this.#room(1);
    this.#at += 1;
    this.#starts.push(this.#at);
    return this;
  }

  ldelim(): this {
    const start = this.#starts.pop() ?? 0;
    const length = this.#at - start;
    if (length < 0x80) {
      this.#bytes[start - 1] = length;
      return this;
    }
    const more = varintBytes(length) - 1;
    this.#room(more);
    this.#bytes.copyWithin(start + more, start, this.#at);
    const end = this.#at + more;
    this.#at = start - 1;
    this.#varint(length);
    this.#at = end;
    return this;
  }

  uint32(value: number): this {
    this.#room(5);
    this.#varint(value >>> 0);
    return this;
  }

  int32(value: number): this {
    if (value >= 0) return this.uint32(value);
    return this.int64({ low: value | 0, high: -1 });
  }

  sint32(value: number): this {
    return this.uint32((value << 1) ^ (value >> 31));
  }

  int64(value: number | string | Int64): this {
    this.#room(10);
    if (typeof value === 'object' && value.high === 0) {
      this.#varint(value.low >>> 0);
      return this;
    }
    const { low, high } = typeof value === 'object' ? value : int64Of(value);
    let lo = low >>> 0;
    let hi = high >>> 0;
    while (hi !== 0) {
      this.#bytes[this.#at++] = (lo & 127) | 128;
      lo = ((lo >>> 7) | (hi << 25)) >>> 0;
      hi >>>= 7;
    }
    this.#varint(lo);
    return this;
  }

  uint64(value: number | string | Int64): this {
    return this.int64(value);
  }

  bool(value: boolean): this {
    this.#room(1);
    this.#bytes[this.#at++] = value ? 1 : 0;
    return this;
  }

  double(value: number): this {
    this.#room(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
    return this;
  }

  float(value: number): this {
    this.#room(4);
    this.#at = this.#bytes.writeFloatLE(value, this.#at);
    return this;
  }

  bytes(value: Uint8Array): this {
    const { length } = value;
    this.#room(length + 5);
    this.#varint(length);
    this.#bytes.set(value, this.#at);
    this.#at += length;
    return this;
  }

  string(value: string): this {
    const { length } = value;
    this.#room(length * 3 + 5);
    // Ids and names are short and ASCII: a loop is cheaper than a call into Node.
    if (length < 48) {
      const bytes = this.#bytes;
      const start = this.#at;
      let at = start + 1;
      let index = 0;
      for (; index < length; index += 1) {
        const code = value.charCodeAt(index);
        if (code > 127) break;
        bytes[at++] = code;
      }
      if (index === length) {
        bytes[start] = length;
        this.#at = at;
        return this;
      }
    }
    const size = Buffer.byteLength(value);
    this.#varint(size);
    this.#at += this.#bytes.write(value, this.#at, size);
    return this;
  }

  #varint(value: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    let rest = value;
    while (rest > 127) {
      bytes[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#at = at;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + bytes));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 127; rest >>>= 7) bytes += 1;
  return bytes;
}

function int64Of(value: number | string): Int64 {
  const whole = BigInt.asUintN(64, BigInt(value));
  return { low: Number(whole & 0xffffffffn) | 0, high: Number(whole >> 32n) | 0 };
}
