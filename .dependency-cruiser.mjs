// The house: rooms and who may enter which. This is the table of the architecture, in the form that
// is checked. A room or a permission that is missing here is refused. Tests (`*.test.ts`) and contract
// suites (`*.contract.ts`) may enter every room; what is shipped may not enter them.

const src = '^packages/everstep/src/';
const shipped = '\\.(test|contract)\\.ts$';

/** Room: the rooms it may import, beside itself. An entry with a dot is a file, as a pattern. */
const rooms = {
  core: [],
  service: ['core'],
  store: ['core'],
  engine: ['core', 'service', 'store/store\\.ts'],
  tasks: [
    'service',
    'core/retry[a-z-]*\\.ts',
    'core/error[a-z-]*\\.ts',
    'core/failure[a-z-]*\\.ts',
  ],
  component: ['engine', 'store', 'gateway', 'observability', 'security', 'tasks', 'service'],
  integrations: ['component', 'tasks', 'service'],
  gateway: ['service', 'core/wire-writer\\.ts'],
  http: ['service'],
  observability: ['service', 'store/store\\.ts'],
  security: ['service'],
  testing: [
    'core',
    'service',
    'store',
    'engine',
    'tasks',
    'component',
    'integrations',
    'gateway',
    'http',
    'observability',
    'security',
  ],
  cli: ['[^/]+'],
};

/** What core may import from outside: the contract's messages, and pure helpers. */
const pureHelpers = ['@temporalio/proto', 'croner', 'long'];

/** Each store and the drivers that are its own: npm packages and Node's built-in modules. */
const drivers = {
  memory: [],
  sqlite: ['node:sqlite', '@photostructure/sqlite'],
  postgres: ['pg'],
  mysql: ['mysql2'],
};

const isFile = (name) => name.endsWith('\\.ts');
const inside = (names) => names.map((name) => `${src}${name}${isFile(name) ? '$' : '/'}`);
const escaped = (name) => name.replace(/[.+]/g, '\\$&');
const npm = (names) => names.map((name) => `(^|/)node_modules/(@types/)?${escaped(name)}(/|$)`);
const bare = (names) => names.map((name) => `^(node:)?${escaped(name.replace(/^node:/, ''))}(/|$)`);
const outside = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg'];

const roomRules = Object.entries(rooms).map(([room, mayImport]) => ({
  name: `room-${room}`,
  comment: `${room} may import ${mayImport.length > 0 ? mayImport.join(', ') : 'nothing of ours'}.`,
  severity: 'error',
  from: { path: `${src}${room}/`, pathNot: shipped },
  to: { path: src, pathNot: inside([room, ...mayImport]) },
}));

const storeRules = Object.entries(drivers).flatMap(([store, own]) => [
  {
    name: `store-${store}-knows-only-the-interface`,
    comment:
      'A store knows the store interface, what SQL stores share and its own folder, and no other room or store.',
    severity: 'error',
    from: { path: `${src}store/${store}/`, pathNot: shipped },
    to: {
      path: src,
      pathNot: inside([
        `store/${store}`,
        'store/store\\.ts',
        'store/(run-columns|sql-rows|sql-filter|migration-files|history-pages|commit-lanes|commit-waves|gathered|turns|url-settings)\\.ts',
      ]),
    },
  },
  {
    name: `store-${store}-knows-only-its-driver`,
    comment: 'From outside, a store imports its own driver and nothing else.',
    severity: 'error',
    from: { path: `${src}store/${store}/`, pathNot: shipped },
    to: { dependencyTypes: outside, pathNot: [...npm(own), ...bare(own)] },
  },
  ...(own.length === 0
    ? []
    : [
        {
          name: `driver-of-${store}-stays-there`,
          comment: `Only store/${store} may import ${own.join(', ')}.`,
          severity: 'error',
          from: { path: src, pathNot: [`${src}store/${store}/`, '\\.test\\.ts$'] },
          to: { path: [...npm(own), ...bare(own)] },
        },
      ]),
]);

export default {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Two files that need each other are one file, or need a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'An import that leads nowhere cannot be checked.',
      severity: 'error',
      from: {},
      to: {
        couldNotResolve: true,
        // Known to newer Node versions only; loaded where it exists.
        pathNot: '^(node:)?sqlite$',
      },
    },
    {
      name: 'known-room',
      comment: 'Every file in src but index.ts lives in a room of the table.',
      severity: 'error',
      from: {},
      to: { path: src, pathNot: inside(['index\\.ts', ...Object.keys(rooms)]) },
    },
    {
      name: 'index-lists-the-public-api',
      comment: 'index.ts exports what users need; the command line and the test kit stay outside.',
      severity: 'error',
      from: { path: `${src}index\\.ts$` },
      to: { path: inside(['cli', 'testing', 'store/[^/]+']) },
    },
    {
      name: 'nobody-imports-index',
      comment: 'Inside the package, import the file that defines a name.',
      severity: 'error',
      from: { path: src, pathNot: '\\.test\\.ts$' },
      to: { path: `${src}index\\.ts$` },
    },
    {
      name: 'store-interface-knows-no-store',
      comment: 'The files beside store.ts know no implementation, but for the one that chooses it.',
      severity: 'error',
      from: { path: `${src}store/[^/]+\\.ts$`, pathNot: [shipped, `${src}store/open-store\\.ts$`] },
      to: { path: `${src}store/[^/]+/` },
    },
    {
      name: 'store-folder-declared',
      comment: 'A store folder is listed with its drivers in this file.',
      severity: 'error',
      from: {},
      to: {
        path: `${src}store/[^/]+/`,
        pathNot: inside(Object.keys(drivers).map((store) => `store/${store}`)),
      },
    },
    {
      name: 'core-is-pure',
      comment: "From outside, core imports the contract's messages and pure helpers only.",
      severity: 'error',
      from: { path: `${src}core/`, pathNot: shipped },
      to: { dependencyTypes: [...outside, 'core'], pathNot: npm(pureHelpers) },
    },
    {
      name: 'shipped-code-knows-no-test',
      comment: 'What is shipped imports no test, no suite, and nothing outside src.',
      severity: 'error',
      from: { path: src, pathNot: shipped },
      to: {
        path: [
          `${src}.*${shipped}`,
          '^(packages/everstep/(?!src/|node_modules/)|bench/|examples/|scripts/)',
        ],
      },
    },
    {
      name: 'shipped-code-needs-no-dev-dependency',
      comment: 'What is shipped imports only what package.json installs or names as a peer.',
      severity: 'error',
      from: { path: src, pathNot: shipped },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        // Here for the tests, and for users a peer.
        dependencyTypesNot: ['npm-peer'],
      },
    },
    ...roomRules,
    ...storeRules,
  ],
  options: {
    parser: 'swc',
    baseDir: import.meta.dirname,
    doNotFollow: { path: 'node_modules' },
    combinedDependencies: false,
    tsPreCompilationDeps: true,
    exoticRequireStrings: [],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.json', '.d.ts'],
    },
  },
};
