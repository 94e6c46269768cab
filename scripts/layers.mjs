// Checks the import directions of the architecture, and first that they were read at all: without its
// parser dependency-cruiser reads no module, finds nothing wrong and passes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise } from 'dependency-cruiser';
import config from '../.dependency-cruiser.mjs';
import { sourceFiles } from './source-files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const src = 'packages/everstep/src';
const { options, forbidden } = config;

const { output } = await cruise([src], {
  ...options,
  baseDir: root,
  validate: true,
  ruleSet: { forbidden },
});
const { modules, summary } = output;

const complaints = summary.violations.map(({ rule, from, to, cycle }) => {
  const path = cycle ? [from, ...cycle.map(({ name }) => name)].join(' -> ') : `${from} -> ${to}`;
  const { comment } = forbidden.find(({ name }) => name === rule.name) ?? {};
  return `${rule.name}: ${path}\n    ${comment ?? ''}`;
});

const read = new Map(modules.map((module) => [module.source, module]));
const files = sourceFiles(join(root, src));
for (const file of files) {
  const path = `${src}/${file}`;
  const module = read.get(path);
  const imports = /^(import|export)\b[^;]*?\bfrom '|^import '/m.test(
    readFileSync(join(root, path), 'utf8'),
  );
  if (module === undefined)
    complaints.push(`unread: ${path}\n    It was not read, so not checked.`);
  else if (imports && module.dependencies.length === 0) {
    complaints.push(`unread: ${path}\n    It has imports, and none of them was read.`);
  }
}
if (files.length === 0) complaints.push(`unread: ${src}\n    There is no source file in it.`);

for (const complaint of complaints) console.error(complaint);
console.log(
  `layers: ${complaints.length} wrong in ${files.length} files, ${summary.totalDependenciesCruised} imports`,
);
process.exit(complaints.length === 0 ? 0 : 1);
