/**
 * A protobuf reader that refuses what protobufjs lets pass: text that is no UTF-8, and text and bytes cut short by
 * the end of their message. What is stored would otherwise not be what was sent.
 */
import { isUtf8 } from 'node:buffer';
import protobuf from 'protobufjs';

/**
 * How deep messages may lie in one another: protobufjs's own 100 is less than the causes of some failures. The bound
 * keeps hostile input from using up the stack.
 */
const nestingMax = 2_000;
protobuf.Reader.recursionLimit = Math.max(protobuf.Reader.recursionLimit, nestingMax);

export class StrictReader extends protobuf.Reader {
  declare buf: Buffer;

  constructor(bytes: Buffer) {
    super(bytes);
  }

  override string(): string {
    const start = this.#length();
    const text = this.buf.toString('utf8', start, this.pos);
    // Only text with the replacement character can have been wrong; it may also have been sent as that.
    if (text.includes('\uFFFD') && !isUtf8(this.buf.subarray(start, this.pos))) {
      throw new RangeError('a string is not valid UTF-8');
    }
    return text;
  }

  override bytes(): Buffer {
    const start = this.#length();
    return this.buf.subarray(start, this.pos);
  }

  /** Moves behind the value; where it begins. */
  #length(): number {
    const length = this.uint32();
    const start = this.pos;
    if (length > this.len - start) throw new RangeError('a value ends after its message');
    this.pos = start + length;
    return start;
  }
}
