/** Where a text stops being JSON (RFC 8259): JSON.parse does not say it in a form that can be relied on. */

export interface JsonFault {
  /** Index of the first character that does not fit. */
  readonly at: number;
  readonly expected: string;
}

/** Of a text that JSON.parse refuses. */
export function jsonFault(text: string): JsonFault {
  return new Scan(text).fault();
}

const blank = /[ \t\n\r]*/y;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y;
// oxlint-disable-next-line no-control-regex -- the characters that a string must escape
const stringPart = /(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*/y;

class Scan {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  fault(): JsonFault {
    const expected = this.#value() ?? this.#end();
    return { at: this.#at, expected: expected ?? 'other JSON' };
  }

  /** Each method goes over what it is named for, or says what it expected where it stands. */
  #end(): string | undefined {
    this.#skip(blank);
    return this.#at === this.#text.length ? undefined : 'the end';
  }

  #value(): string | undefined {
    this.#skip(blank);
    const next = this.#text[this.#at];
    if (next === '{') return this.#list('}', () => this.#member());
    if (next === '[') return this.#list(']', () => this.#value());
    if (next === '"') return this.#string();
    return this.#skip(scalar) > 0 ? undefined : 'a value';
  }

  #list(close: string, item: () => string | undefined): string | undefined {
    this.#at += 1;
    this.#skip(blank);
    if (this.#take(close)) return undefined;
    for (;;) {
      const problem = item();
      if (problem !== undefined) return problem;
      this.#skip(blank);
      if (this.#take(close)) return undefined;
      if (!this.#take(',')) return `, or ${close}`;
    }
  }

  #member(): string | undefined {
    this.#skip(blank);
    if (this.#text[this.#at] !== '"') return 'a key in double quotes';
    const problem = this.#string();
    if (problem !== undefined) return problem;
    this.#skip(blank);
    return this.#take(':') ? this.#value() : ':';
  }

  #string(): string | undefined {
    this.#at += 1;
    this.#skip(stringPart);
    if (this.#take('"')) return undefined;
    return this.#text[this.#at] === '\\'
      ? 'an escape such as \\n or \\u0041'
      : 'the end of a string (")';
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  /** The characters it went over. */
  #skip(pattern: RegExp): number {
    pattern.lastIndex = this.#at;
    const length = pattern.exec(this.#text)?.[0].length ?? 0;
    this.#at += length;
    return length;
  }
}
