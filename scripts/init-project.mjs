// `everstep init` from a packed tarball: the project is installed, passes its type check, starts, and runs a task; and
// the command reads that task from beside it. Usage: node scripts/init-project.mjs <folder with everstep installed and everstep.tgz above it>
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const consumer = resolve(process.argv[2] ?? '.');
const project = join(consumer, 'made-by-init');
const bin = join(consumer, 'node_modules/.bin/everstep');
const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

rmSync(project, { recursive: true, force: true });
run(bin, ['init', project, '--everstep', join(consumer, '../everstep.tgz')], consumer);
run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], project);
run('npm', ['run', '--silent', 'types'], project);

// Not through npm: it does not hand SIGTERM on.
const worker = spawn(process.execPath, ['--import', 'tsx', 'src/worker.ts'], {
  cwd: project,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const exited = once(worker, 'exit');
try {
  await Promise.race([
    once(worker.stdout, 'data'),
    exited.then(([code]) => {
      throw new Error(`init-project: the worker ended with ${code}`);
    }),
  ]);
  const said = run('npm', ['run', '--silent', 'submit', '--', 'porto'], project);
  if (!said.includes('a postcard with porto.jpg')) {
    throw new Error(`init-project: npm run submit printed: ${said}`);
  }
  const local = join(project, 'node_modules/.bin/everstep');
  const { tasks } = JSON.parse(run(local, ['tasks', 'list', '--json'], project));
  if (tasks.length !== 1 || tasks[0].status !== 'completed') {
    throw new Error(`init-project: everstep tasks list gave ${JSON.stringify(tasks)}`);
  }
} finally {
  worker.kill('SIGTERM');
}
const [code] = await exited;
if (code !== 0) throw new Error(`init-project: the worker ended with ${code} at SIGTERM`);
console.log('init-project: made, installed, checked, run, listed, stopped');
