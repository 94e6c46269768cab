/**
 * The rules of the house that a reader sees in the text and no compiler checks. Each exception stands
 * here with its reason, so that a new one is a decision.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const home = 'packages/everstep';

/** Pure rooms and those whose clock comes from a port. */
const clocklessRooms = ['core', 'engine', 'tasks'];

/** File (from src): why it may read the clock or draw a random number. */
const clockExceptions: Readonly<Record<string, string>> = {
  'core/cron.ts': 'hands the cron library a time it was given; reads no clock',
  'tasks/list-tasks.ts': 'writes a time it was given as text for a query',
};

const linesMax = 500;

/** File (from the root): its lines when it was written down. May only shrink. */
const longFiles: Readonly<Record<string, number>> = {};

/** Folder of src/store: why it is not a store, so calls no contract suite. */
const notStores: Readonly<Record<string, string>> = {};

const clockAndChance = [
  /\bDate\.now\(/,
  /\bnew Date\(/,
  /\bMath\.random\(/,
  /\bsetTimeout\(/,
  /\bsetInterval\(/,
  /\bperformance\.now\(/,
  /\brandomUUID\(/,
];

const src = filesBelow(`${home}/src`);
const test = filesBelow(`${home}/test`);
const code = [...src, ...test].filter((path) => path.endsWith('.ts'));
const shipped = src.filter((path) => path.endsWith('.ts') && !/\.(test|contract)\.ts$/.test(path));
const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(root, path)));

describe('the fence itself', () => {
  it('reads the source', () => {
    expect(shipped).toContain(`${home}/src/index.ts`);
    expect(tracked).toContain('package.json');
  });

  it('sees a rule broken in code and not in a comment', () => {
    const text = [
      '/* new Date( */ const a = 1; // Date.now()',
      ' * Math.random( in a docstring',
      "const url = 'https://example.org'; Date.now();",
    ].join('\n');
    expect(offences('x.ts', text, clockAndChance)).toEqual(['x.ts:3: Date.now(']);
  });
});

describe('the source', () => {
  it('takes time and chance from a port in the pure rooms', () => {
    const files = shipped.filter(
      (path) => clocklessRooms.includes(roomOf(path)) && !(fromSrc(path) in clockExceptions),
    );
    expect(files.flatMap((path) => offences(path, read(path), clockAndChance))).toEqual([]);
  });

  it('throws only errors of a kind with a code', () => {
    expect(shipped.flatMap((path) => offences(path, read(path), [/\bthrow new Error\(/]))).toEqual(
      [],
    );
  });

  it('has no enum, namespace or default export', () => {
    const rules = [
      /^\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s+\w/,
      /^\s*(?:export\s+)?(?:declare\s+)?namespace\s+\w/,
      /^\s*export\s+default\b/,
      /\bas\s+default\b/,
    ];
    expect(shipped.flatMap((path) => offences(path, read(path), rules))).toEqual([]);
  });

  it('names the file in each relative import, with its ending', () => {
    const rules = [/(?:\bfrom|\bimport|\bimport\()\s*'\.{1,2}\/[^']*(?<!\.ts|\.json)'/];
    expect(code.flatMap((path) => offences(path, read(path), rules))).toEqual([]);
  });

  it('names each file for the one noun inside', () => {
    const vague = /^(?:(?:.*-)?(?:utils?|helpers?)|common|misc|types?)$/;
    const wrong = src.filter((path) => {
      const names = fromSrc(path).split('/');
      const [stem = ''] = (names.pop() ?? '').split('.');
      return [...names, stem].some(
        (name) => vague.test(name) || !/^[a-z0-9]+(?:[-_][a-z0-9]+)*$/.test(name),
      );
    });
    expect(wrong).toEqual([]);
  });

  it('has no file that is too long to read at one sitting', () => {
    const tooLong = code
      .map((path) => ({ path, lines: lineCount(read(path)) }))
      .filter(({ path, lines }) => lines > (longFiles[path] ?? linesMax))
      .map(({ path, lines }) => `${path}: ${lines} lines`);
    expect(tooLong).toEqual([]);
  });

  it('keeps no entry for a long file that is gone or no longer long', () => {
    const idle = Object.keys(longFiles).filter(
      (path) => !code.includes(path) || lineCount(read(path)) <= linesMax,
    );
    expect(idle).toEqual([]);
  });

  it('holds each store to the contract suite', () => {
    const stores = existsSync(join(root, home, 'src/store'))
      ? readdirSync(join(root, home, 'src/store'), { withFileTypes: true })
          .filter((entry) => entry.isDirectory() && !(entry.name in notStores))
          .map((entry) => entry.name)
      : [];
    const unproved = stores.filter(
      (store) =>
        !src.some(
          (path) =>
            path.startsWith(`${home}/src/store/${store}/`) &&
            path.endsWith('.test.ts') &&
            read(path).includes(`from '../store.contract.ts'`),
        ),
    );
    expect(unproved).toEqual([]);
  });
});

describe('the repository', () => {
  it('names no path of the machine it was written on', () => {
    const folders = ['work', 'root', 'farm'].join('|');
    const machine = new RegExp(`(?:^|[^A-Za-z0-9_.])/(?:${folders})/`);
    expect(trackedText().flatMap(({ path, text }) => offences(path, text, [machine]))).toEqual([]);
  });

  it('names no package registry, and no address in a lock file', () => {
    const registry = new RegExp(`https?://[^\\s"'/]*(?:${['registry', 'npmjs'].join('|')})[.:/]`);
    const found = trackedText()
      .filter(({ path }) => /(?:lock|shrinkwrap)|\.npmrc$|package\.json$/.test(basename(path)))
      .flatMap(({ path, text }) =>
        offences(path, text, [registry, /"resolved":\s*"[a-z+]+:\/\//, /^\s*registry\s*=/]),
      );
    expect(found).toEqual([]);
  });
});

function filesBelow(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) =>
      entry.isDirectory()
        ? filesBelow(`${folder}/${entry.name}`)
        : entry.isFile()
          ? [`${folder}/${entry.name}`]
          : [],
    )
    .sort();
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function fromSrc(path: string): string {
  return path.slice(`${home}/src/`.length);
}

function roomOf(path: string): string {
  return fromSrc(path).split('/')[0] ?? '';
}

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** Tracked files that are text: a file with a NUL byte is not. */
function trackedText(): { path: string; text: string }[] {
  return tracked
    .map((path) => ({ path, text: read(path) }))
    .filter(({ text }) => !text.includes('\0'));
}

/** Where a rule is broken, as `path:line: what`. Comments of code are blanked, lines stay counted. */
function offences(path: string, text: string, rules: readonly RegExp[]): string[] {
  const blanked = path.endsWith('.ts')
    ? text
        .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
        .replace(/^\s*\*.*$/gm, '')
        .replace(/(^|[\s;,{}()])\/\/.*$/gm, '$1')
    : text;
  return blanked.split('\n').flatMap((line, index) =>
    rules.flatMap((rule) => {
      const match = rule.exec(line);
      return match === null ? [] : [`${path}:${index + 1}: ${match[0].trim()}`];
    }),
  );
}
