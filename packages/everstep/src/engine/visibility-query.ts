/**
 * The visibility query language: comparisons joined by AND, =, !=, <, <=, >, >=, IN, BETWEEN, STARTS_WITH,
 * IS [NOT] NULL, parentheses, OR and NOT, and GROUP BY ExecutionStatus (VS-1). A name is one of the system's or one
 * that the namespace has registered, and its type says which operators and values go with it: query-field.ts.
 */
import type { RegisteredAttributes } from '../core/search-attribute-type.ts';
import { ServiceError } from '../service/service-error.ts';
import type { Filter } from '../store/store.ts';
import { equals, fieldOf, isIn, operatorsOf, valueOf } from './query-field.ts';
import type { QueryField, QueryOperator, QueryValue } from './query-field.ts';

type Token =
  | { readonly kind: 'word'; readonly text: string; readonly at: number }
  | { readonly kind: 'quoted'; readonly text: string; readonly at: number }
  | { readonly kind: 'string'; readonly text: string; readonly at: number }
  | { readonly kind: 'number'; readonly text: string; readonly at: number }
  | { readonly kind: 'symbol'; readonly text: string; readonly at: number };

const tokenPattern =
  /\s*(?:'((?:[^'\\]|\\.|'')*)'|"((?:[^"\\]|\\.)*)"|`([^`]*)`|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])|([A-Za-z_][\w.-]*)|(<=|>=|!=|<>|[=<>(),]))/y;

/** Refuses with INVALID_ARGUMENT and the place. */
export function parseVisibilityQuery(query: string, registered: RegisteredAttributes): ParsedQuery {
  return parseQuery(query, (name) => fieldOf(name, registered));
}

/** The same language, over other names. */
export function parseQuery(query: string, resolve: Resolve): ParsedQuery {
  if (query.trim() === '') return { groupBy: false };
  return new Parser(query, resolve).parse();
}

type Resolve = (name: string) => QueryField | undefined;

interface ParsedQuery {
  readonly filter?: Filter;
  readonly groupBy: boolean;
}

class Parser {
  readonly #query: string;
  readonly #resolve: Resolve;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(query: string, resolve: Resolve) {
    this.#query = query;
    this.#resolve = resolve;
    this.#tokens = tokensOf(query);
  }

  parse(): ParsedQuery {
    const filter = this.#isWord('GROUP') || this.#isWord('ORDER') ? undefined : this.#or();
    let groupBy = false;
    if (this.#takeWord('GROUP')) {
      if (!this.#takeWord('BY')) throw this.#problem('BY is missing after GROUP');
      const field = this.#take();
      if (field?.text !== 'ExecutionStatus') {
        throw this.#problem("'GROUP BY' clause is only supported for ExecutionStatus");
      }
      groupBy = true;
    }
    if (this.#isWord('ORDER')) throw this.#problem("'ORDER BY' clause is not supported");
    if (this.#peek()) throw this.#problem('unexpected text');
    return { ...(filter ? { filter } : {}), groupBy };
  }

  #or(): Filter {
    const terms = [this.#and()];
    while (this.#takeWord('OR')) terms.push(this.#and());
    return terms.length === 1 ? (terms[0] as Filter) : { op: 'or', terms };
  }

  #and(): Filter {
    const terms = [this.#not()];
    while (this.#takeWord('AND')) terms.push(this.#not());
    return terms.length === 1 ? (terms[0] as Filter) : { op: 'and', terms };
  }

  #not(): Filter {
    return this.#takeWord('NOT') ? { op: 'not', term: this.#not() } : this.#term();
  }

  #term(): Filter {
    if (!this.#takeSymbol('(')) return this.#comparison();
    this.#depth += 1;
    if (this.#depth > 100) throw this.#problem('parentheses are nested too deep');
    const filter = this.#or();
    if (!this.#takeSymbol(')')) throw this.#problem("')' is missing");
    this.#depth -= 1;
    return filter;
  }

  #comparison(): Filter {
    const name = this.#take();
    if (!name || (name.kind !== 'word' && name.kind !== 'quoted')) {
      throw this.#problem('the name of a search attribute is expected');
    }
    const field = this.#resolve(name.text);
    if (!field) throw this.#problem(`column name '${name.text}' is not a valid search attribute`);
    if (this.#takeWord('IS')) {
      const not = this.#takeWord('NOT');
      if (!this.#takeWord('NULL')) throw this.#problem('NULL is expected after IS');
      const isNull: Filter = { op: 'isNull', field: field.at };
      return not ? { op: 'not', term: isNull } : isNull;
    }
    const negated = this.#takeWord('NOT');
    let filter: Filter;
    if (this.#takeWord('IN')) {
      this.#allow(field, 'in');
      if (!this.#takeSymbol('(')) throw this.#problem("'(' is expected after IN");
      const values = [this.#value(field)];
      while (this.#takeSymbol(',')) values.push(this.#value(field));
      if (!this.#takeSymbol(')')) throw this.#problem("')' is missing");
      filter = isIn(field, values.flat());
    } else if (this.#takeWord('BETWEEN')) {
      this.#allow(field, 'between');
      const low = this.#single(field);
      if (!this.#takeWord('AND')) throw this.#problem('AND is expected in BETWEEN');
      const high = this.#single(field);
      filter = {
        op: 'and',
        terms: [
          { op: '>=', field: field.at, value: low },
          { op: '<=', field: field.at, value: high },
        ],
      };
    } else if (this.#takeWord('STARTS_WITH')) {
      this.#allow(field, 'starts_with');
      filter = { op: 'startsWith', field: field.at, value: this.#single(field) };
    } else {
      if (negated) throw this.#problem('IN, BETWEEN or STARTS_WITH is expected after NOT');
      return this.#simple(field);
    }
    return negated ? { op: 'not', term: filter } : filter;
  }

  #simple(field: QueryField): Filter {
    const token = this.#take();
    const op = token?.text === '<>' ? '!=' : token?.text;
    if (op === '=' || op === '!=') {
      this.#allow(field, op);
      return equals(field, op, this.#value(field));
    }
    if (op === '<' || op === '>' || op === '<=' || op === '>=') {
      this.#allow(field, op);
      return { op, field: field.at, value: this.#single(field) };
    }
    throw this.#problem('an operator such as = is expected');
  }

  #allow(field: QueryField, operator: QueryOperator): void {
    if (operatorsOf(field).has(operator)) return;
    throw this.#problem(
      `operator '${operator}' not supported for ${field.type} type search attribute ${field.name}`,
    );
  }

  #single(field: QueryField): QueryValue {
    const [value, ...more] = this.#value(field);
    if (value === undefined || more.length > 0) throw this.#problem('one value is expected');
    return value;
  }

  /** Those that one value stands for: 'Running' is two statuses, and a Text may have several words. */
  #value(field: QueryField): readonly QueryValue[] {
    const token = this.#take();
    if (!token || token.kind === 'symbol') throw this.#problem('a value is expected');
    const word = token.kind === 'word' || token.kind === 'quoted';
    if (word && !/^(true|false)$/i.test(token.text)) {
      throw this.#problem(
        `a value in quotes is expected (did you forget to quote '${token.text}'?)`,
      );
    }
    const raw =
      token.kind === 'number'
        ? Number(token.text)
        : word
          ? token.text.toLowerCase() === 'true'
          : token.text;
    const value = valueOf(field, raw);
    if ('problem' in value) throw this.#problem(value.problem);
    return value.values;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  #take(): Token | undefined {
    const token = this.#tokens[this.#next];
    this.#next += 1;
    return token;
  }

  #isWord(word: string): boolean {
    const token = this.#peek();
    return token?.kind === 'word' && token.text.toUpperCase() === word;
  }

  #takeWord(word: string): boolean {
    if (!this.#isWord(word)) return false;
    this.#next += 1;
    return true;
  }

  #takeSymbol(symbol: string): boolean {
    const token = this.#peek();
    if (token?.kind !== 'symbol' || token.text !== symbol) return false;
    this.#next += 1;
    return true;
  }

  #problem(what: string): ServiceError {
    const at = this.#tokens[Math.max(this.#next - 1, 0)]?.at ?? 0;
    return invalidQuery(this.#query, what, at);
  }
}

function tokensOf(query: string): Token[] {
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  let at = 0;
  while (query.slice(at).trim() !== '') {
    tokenPattern.lastIndex = at;
    const match = tokenPattern.exec(query);
    if (!match) throw invalidQuery(query, 'unexpected character', at);
    const [, single, double, name, number, word, symbol] = match;
    if (single !== undefined)
      tokens.push({ kind: 'string', text: unescaped(single.replaceAll("''", "'")), at });
    else if (double !== undefined) tokens.push({ kind: 'string', text: unescaped(double), at });
    else if (name !== undefined) tokens.push({ kind: 'quoted', text: name, at });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number, at });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, at });
    else tokens.push({ kind: 'symbol', text: symbol ?? '', at });
    at = tokenPattern.lastIndex;
  }
  return tokens;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}

function invalidQuery(query: string, what: string, at: number): ServiceError {
  return new ServiceError({
    code: 'INVALID_ARGUMENT',
    message: `invalid query: ${what} at position ${at + 1} of: ${query.length > 200 ? `${query.slice(0, 200)}…` : query}`,
  });
}
