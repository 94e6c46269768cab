/**
 * The visibility query language, as far as it is built: comparisons joined by AND, =, !=, <, <=, >, >=, IN,
 * BETWEEN, STARTS_WITH, IS [NOT] NULL, parentheses, OR and NOT, and GROUP BY ExecutionStatus (VS-1). Names of
 * system attributes are Temporal's; any other name is a custom search attribute.
 */
import { ServiceError } from '../service/service-error.ts';
import type { RunStatus } from '../core/state.ts';
import type { Filter, FilterField, VisibilityColumn } from '../store/store.ts';

export const statusNames: Readonly<Record<RunStatus, string>> = {
  created: 'Running',
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  canceled: 'Canceled',
  terminated: 'Terminated',
  continuedAsNew: 'ContinuedAsNew',
  timedOut: 'TimedOut',
};

const columns: Readonly<Record<string, VisibilityColumn>> = {
  WorkflowId: 'workflowId',
  RunId: 'runId',
  WorkflowType: 'workflowType',
  ExecutionStatus: 'status',
  StartTime: 'startTime',
  ExecutionTime: 'executionTime',
  CloseTime: 'closeTime',
  ExecutionDuration: 'executionDuration',
  TaskQueue: 'taskQueue',
  HistoryLength: 'historyEvents',
  HistorySizeBytes: 'historyBytes',
  ParentWorkflowId: 'parentWorkflowId',
  ParentRunId: 'parentRunId',
  RootWorkflowId: 'rootWorkflowId',
  RootRunId: 'rootRunId',
};

const times: ReadonlySet<VisibilityColumn> = new Set<VisibilityColumn>([
  'startTime',
  'executionTime',
  'closeTime',
]);
const numbers: ReadonlySet<VisibilityColumn> = new Set<VisibilityColumn>([
  'executionDuration',
  'historyEvents',
  'historyBytes',
]);

type Token =
  | { readonly kind: 'word'; readonly text: string; readonly at: number }
  | { readonly kind: 'quoted'; readonly text: string; readonly at: number }
  | { readonly kind: 'string'; readonly text: string; readonly at: number }
  | { readonly kind: 'number'; readonly text: string; readonly at: number }
  | { readonly kind: 'symbol'; readonly text: string; readonly at: number };

const tokenPattern =
  /\s*(?:'((?:[^'\\]|\\.|'')*)'|"((?:[^"\\]|\\.)*)"|`([^`]*)`|(-?\d+(?:\.\d+)?)(?![\w.])|([A-Za-z_][\w.-]*)|(<=|>=|!=|<>|[=<>(),]))/y;

/** Refuses with INVALID_ARGUMENT and the place. */
export function parseVisibilityQuery(query: string): {
  readonly filter?: Filter;
  readonly groupBy: boolean;
} {
  const text = query.trim();
  if (text === '') return { groupBy: false };
  return new Parser(query).parse();
}

class Parser {
  readonly #query: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(query: string) {
    this.#query = query;
    this.#tokens = tokensOf(query);
  }

  parse(): { readonly filter?: Filter; readonly groupBy: boolean } {
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
    const column = columns[name.text];
    const field: FilterField = column ? { system: column } : { custom: name.text };
    if (this.#takeWord('IS')) {
      const not = this.#takeWord('NOT');
      if (!this.#takeWord('NULL')) throw this.#problem('NULL is expected after IS');
      const isNull: Filter = { op: 'isNull', field };
      return not ? { op: 'not', term: isNull } : isNull;
    }
    const negated = this.#takeWord('NOT');
    let filter: Filter;
    if (this.#takeWord('IN')) {
      if (!this.#takeSymbol('(')) throw this.#problem("'(' is expected after IN");
      const values = [this.#value(field)];
      while (this.#takeSymbol(',')) values.push(this.#value(field));
      if (!this.#takeSymbol(')')) throw this.#problem("')' is missing");
      filter = inFilter(field, values.flat());
    } else if (this.#takeWord('BETWEEN')) {
      const low = this.#single(field);
      if (!this.#takeWord('AND')) throw this.#problem('AND is expected in BETWEEN');
      const high = this.#single(field);
      filter = {
        op: 'and',
        terms: [
          { op: '>=', field, value: low },
          { op: '<=', field, value: high },
        ],
      };
    } else if (this.#takeWord('STARTS_WITH')) {
      filter = { op: 'startsWith', field, value: this.#single(field) };
    } else {
      if (negated) throw this.#problem('IN, BETWEEN or STARTS_WITH is expected after NOT');
      return this.#simple(field);
    }
    return negated ? { op: 'not', term: filter } : filter;
  }

  #simple(field: FilterField): Filter {
    const token = this.#take();
    const op = token?.text === '<>' ? '!=' : token?.text;
    if (op === '=' || op === '!=') {
      const values = this.#value(field);
      if (values.length > 1) {
        const filter = inFilter(field, values);
        return op === '=' ? filter : { op: 'not', term: filter };
      }
      return { op, field, value: values[0] as string };
    }
    if (op === '<' || op === '>' || op === '<=' || op === '>=') {
      return { op, field, value: this.#single(field) };
    }
    throw this.#problem('an operator such as = is expected');
  }

  #single(field: FilterField): string | number | boolean {
    const [value, ...more] = this.#value(field);
    if (value === undefined || more.length > 0) throw this.#problem('one value is expected');
    return value;
  }

  /** One value; 'Running' stands for two statuses. */
  #value(field: FilterField): readonly (string | number | boolean)[] {
    const token = this.#take();
    if (!token || token.kind === 'symbol') throw this.#problem('a value is expected');
    const raw: string | number | boolean =
      token.kind === 'number'
        ? Number(token.text)
        : token.kind === 'word' && /^(true|false)$/i.test(token.text)
          ? token.text.toLowerCase() === 'true'
          : token.text;
    if (token.kind === 'word' && typeof raw === 'string')
      throw this.#problem(`a value in quotes is expected`);
    if (!('system' in field)) return [raw];
    if (field.system === 'status') return this.#statuses(raw);
    if (times.has(field.system)) return [this.#time(raw)];
    if (numbers.has(field.system)) {
      const value = Number(raw);
      if (typeof raw === 'boolean' || !Number.isFinite(value))
        throw this.#problem('a number is expected');
      return [value];
    }
    if (typeof raw !== 'string') throw this.#problem('a text in quotes is expected');
    return [raw];
  }

  #statuses(raw: string | number | boolean): readonly string[] {
    const statuses = Object.entries(statusNames)
      .filter(([, name]) => name === raw)
      .map(([status]) => status);
    if (statuses.length === 0) {
      throw this.#problem(`invalid ExecutionStatus value '${String(raw)}'`);
    }
    return statuses;
  }

  /** RFC 3339, or nanoseconds since the epoch. */
  #time(raw: string | number | boolean): number {
    const value =
      typeof raw === 'number' ? raw / 1e6 : typeof raw === 'string' ? Date.parse(raw) : Number.NaN;
    if (!Number.isFinite(value)) throw this.#problem(`'${String(raw)}' is no time in RFC 3339`);
    return value;
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

function inFilter(field: FilterField, values: readonly (string | number | boolean)[]): Filter {
  return { op: 'in', field, values };
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
