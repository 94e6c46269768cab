/** Loads TypeScript that Node cannot: through jiti, which transpiles sources and leaves packages to Node. */
import { dirname } from 'node:path';
import type { Jiti } from 'jiti';

/** The exports by name, its own alone. */
export async function importTranspiled(file: string): Promise<Readonly<Record<string, unknown>>> {
  const { createJiti } = await import('jiti');
  const options = {
    // What its cache holds is run, and the folder for temporary files may be shared with strangers.
    fsCache: false,
    moduleCache: true,
    sourceMaps: true,
    interopDefault: true,
    tryNative: false,
    nativeModules: ['everstep', '@temporalio'],
  };
  let jiti: Jiti;
  try {
    jiti = createJiti(file, { ...options, tsconfigPaths: dirname(file) });
  } catch {
    // A tsconfig that extends a package which is not installed here, for one: then without its paths.
    jiti = createJiti(file, options);
  }
  const exports: Readonly<Record<string, unknown>> = await jiti.import(file);
  // A proxy, which makes up a default export and more.
  return Object.fromEntries(Object.keys(exports).map((name) => [name, exports[name]]));
}
