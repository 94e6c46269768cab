/**
 * The source line where a generator waits or a function begins: from V8's own knowledge, through the in-process
 * inspector. Costs some milliseconds and nothing on the way there: only errors and stack queries pay for it.
 */
import { createRequire, findSourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

interface Location {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

interface RemoteProperty {
  readonly name: string;
  readonly value?: { readonly value?: unknown };
}

const slot = Symbol.for('everstep.sourceLine');

/** `file:line:column`; undefined where the runtime does not tell. */
export function sourceLine(waiting: object): string | undefined {
  try {
    return inspected(waiting);
  } catch {
    return undefined;
  }
}

function inspected(waiting: object): string | undefined {
  const { Session } = createRequire(import.meta.url)(
    'node:inspector',
  ) as typeof import('node:inspector');
  const session = new Session();
  const urls = new Map<string, string>();
  let location: Location | undefined;
  session.connect();
  try {
    session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
    session.post('Debugger.enable');
    Reflect.set(globalThis, slot, waiting);
    session.post(
      'Runtime.evaluate',
      { expression: `globalThis[Symbol.for('everstep.sourceLine')]` },
      (_error, evaluated) => {
        const objectId = evaluated.result.objectId;
        if (objectId === undefined) return;
        session.post('Runtime.getProperties', { objectId, ownProperties: true }, (_, found) => {
          location = locationIn((found.internalProperties ?? []) as RemoteProperty[]);
        });
      },
    );
  } finally {
    Reflect.deleteProperty(globalThis, slot);
    session.disconnect();
  }
  const url = location && urls.get(location.scriptId);
  return location && url ? shownLine(url, location) : undefined;
}

function locationIn(properties: readonly RemoteProperty[]): Location | undefined {
  const found = properties.find(
    ({ name }) => name === '[[GeneratorLocation]]' || name === '[[FunctionLocation]]',
  );
  return found?.value?.value as Location | undefined;
}

function shownLine(url: string, { lineNumber, columnNumber }: Location): string {
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  const entry = findSourceMap(path)?.findEntry(lineNumber, columnNumber);
  if (entry && 'originalSource' in entry) {
    const { originalSource, originalLine, originalColumn } = entry;
    const source = originalSource.startsWith('file:')
      ? fileURLToPath(originalSource)
      : originalSource;
    return `${source}:${originalLine + 1}:${originalColumn + 1}`;
  }
  return `${path}:${lineNumber + 1}:${columnNumber + 1}`;
}
