/** What stands in infrastructure/ is true of this example: its files, domains, scripts and variables. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly stop_grace_period?: string;
  readonly volumes?: readonly string[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly {
          readonly image: string;
          readonly command: readonly string[];
          readonly env?: readonly { readonly name: string; readonly value: string }[];
        }[];
      };
    };
  };
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const example = `${root}examples/domains/`;
const read = (path: string): string => readFileSync(root + path, 'utf8');

const domains = readdirSync(`${example}domains`);
const { scripts: exampleScripts } = JSON.parse(read('examples/domains/package.json')) as {
  scripts: Readonly<Record<string, string>>;
};
const { services } = parse(read('infrastructure/compose.yaml'), { merge: true }) as {
  services: Readonly<Record<string, Service>>;
};
const manifestFiles = readdirSync(`${root}infrastructure/kubernetes`);
const manifests = manifestFiles
  .filter((name) => name !== 'kustomization.yaml')
  .flatMap((name) => parseAllDocuments(read(`infrastructure/kubernetes/${name}`)))
  .map((document) => document.toJS() as Manifest);
const image = 'everstep-domains:0.1.0';

/** What runs the image, on either platform. */
const processes = [
  ...Object.entries(services)
    .filter(([, service]) => service.image === image)
    .map(([name, { command, environment, stop_grace_period: grace }]) => ({
      where: 'compose',
      name,
      command,
      env: environment ?? {},
      graceSeconds: Number(/^(\d+)s$/.exec(grace ?? '')?.[1]),
    })),
  ...manifests
    .filter(({ kind }) => kind === 'Deployment')
    .flatMap(({ metadata, spec }) =>
      (spec?.template.spec.containers ?? []).map(({ command, env }) => ({
        where: 'kubernetes',
        name: metadata.name,
        command,
        env: Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
        graceSeconds: spec?.template.spec.terminationGracePeriodSeconds,
      })),
    ),
];

const code = ['src', 'domains'].flatMap((folder) =>
  readdirSync(example + folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => read(`examples/domains/${folder}/${path}`)),
);

/** Variables that the example or Everstep reads. */
function isRead(name: string): boolean {
  const inCode = code.some((text) => new RegExp(`\\b${name}\\b`).test(text));
  return inCode || read('docs/reference/configuration.md').includes(`\`${name}\``);
}

describe.each(['compose', 'kubernetes'])('%s', (where) => {
  const here = processes.filter((one) => one.where === where);

  it('runs a web process and a worker for each domain, all of files that are there', () => {
    expect(here.map(({ name }) => name).sort()).toEqual([
      'web',
      ...domains.map((name) => `worker-${name}`).sort(),
    ]);
    for (const { command } of here) {
      expect(command).toHaveLength(2);
      expect(command?.[0]).toBe('node');
      expect(existsSync(example + String(command?.[1]))).toBe(true);
    }
  });

  it('gives each worker the domain that its script names, and variables that are read', () => {
    for (const { name, env } of here) {
      const inScript = /ENABLE_DOMAINS=(\S+)/.exec(exampleScripts[name] ?? '')?.[1];
      expect(env['ENABLE_DOMAINS']).toBe(inScript);
      expect(Object.keys(env).filter((variable) => !isRead(variable))).toEqual([]);
    }
  });

  it('waits for longer than a worker drains', () => {
    for (const { graceSeconds } of here) expect(graceSeconds).toBeGreaterThan(10 + 2 + 5);
  });
});

it('names an exact version of each image', () => {
  for (const { image: name } of Object.values(services)) expect(name).toMatch(/:\d+\.\d+/);
  const bases = [...read('infrastructure/Dockerfile').matchAll(/^FROM (\S+)/gm)].map(
    ([, base]) => base,
  );
  expect(bases.length).toBeGreaterThan(0);
  for (const base of bases) expect(base).toMatch(/^node:\d+\.\d+\.\d+-/);
});

it('has manifests that belong together', () => {
  const { resources } = parse(read('infrastructure/kubernetes/kustomization.yaml')) as {
    resources: readonly string[];
  };
  expect([...resources, 'kustomization.yaml'].sort()).toEqual(manifestFiles.sort());
  for (const { kind, spec, data } of manifests) {
    expect(Object.keys(data ?? {}).filter((variable) => !isRead(variable))).toEqual([]);
    if (kind !== 'Deployment') continue;
    expect(spec?.selector.matchLabels).toEqual(spec?.template.metadata.labels);
    expect(spec?.template.spec.containers.map((container) => container.image)).toEqual([image]);
    expect(spec?.replicas).toBeGreaterThan(1);
  }
});

it('builds an image of files that are there, and that its .dockerignore lets through', () => {
  const dockerfile = read('infrastructure/Dockerfile');
  const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, from = '']) =>
    from.split(' '),
  );
  expect(copies).toContain('examples/domains/src');
  const allowed = [...read('infrastructure/Dockerfile.dockerignore').matchAll(/^!(.+)$/gm)].map(
    ([, path = '']) => path,
  );
  expect(copies.filter((path) => !existsSync(root + path))).toEqual([]);
  const isSent = (path: string): boolean =>
    allowed.some((one) => path === one || path.startsWith(`${one}/`));
  expect(copies.filter((path) => !isSent(path))).toEqual([]);
  const variables = [...dockerfile.matchAll(/\b([A-Z_]+)=\S+(?: \\)?$/gm)].map(
    ([, name = '']) => name,
  );
  expect(variables).toContain('HEALTH_PORT');
  expect(variables.filter((name) => name !== 'NODE_ENV' && !isRead(name))).toEqual([]);
});

it('tells commands that exist', () => {
  const readme = read('infrastructure/README.md');
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  for (const [, name = ''] of readme.matchAll(/npm run ([\w:-]+)/g)) {
    expect(Object.keys(scripts)).toContain(name);
  }
  const paths = [...readme.matchAll(/ -[fk] (\S+)/g)].map(([, path = '']) => path);
  expect(paths.length).toBeGreaterThan(0);
  expect(paths.filter((path) => !existsSync(root + path))).toEqual([]);
  const names = processes.map(({ name }) => name);
  for (const [, name] of readme.matchAll(/(worker-\w+|(?<=deployment\/)\S+)/g)) {
    expect(names).toContain(name);
  }
});
