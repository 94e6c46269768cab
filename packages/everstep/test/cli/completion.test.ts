import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { everstep } from './command-line.ts';

/** What bash offers after those words, of which the last one is begun. */
function offered(script: string, lines: readonly (readonly string[])[]): string[] {
  const tries = lines.map((words) => {
    const quoted = words.map((word) => `'${word}'`).join(' ');
    return `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; COMPREPLY=(); _everstep; echo "\${COMPREPLY[*]}"`;
  });
  const text = execFileSync('bash', ['-c', [script, ...tries].join('\n')], { encoding: 'utf8' });
  return text.trimEnd().split('\n');
}

it('completes commands, options and their values in bash', async () => {
  const { out } = await everstep(['completion', 'bash']);
  const answers = offered(out, [
    ['everstep', 'ta'],
    ['everstep', 'tasks', 're'],
    ['everstep', 'tasks', 'list', '--st'],
    ['everstep', 'tasks', 'list', '--limit', '5', '--status', ''],
    ['everstep', 'server', 'start'],
    ['everstep', 'completion', ''],
  ]);
  expect(answers).toEqual([
    'tasks',
    'result retry',
    '--status --store',
    'running completed failed cancelled',
    'start-dev',
    'bash zsh fish',
  ]);
});

it('knows the same commands in zsh and fish', async () => {
  const zsh = await everstep(['completion', 'zsh']);
  expect(zsh.out).toMatch(/^#compdef everstep\n/);
  expect(zsh.out).toContain("'everstep tasks retry')");
  const fish = await everstep(['completion', 'fish']);
  expect(fish.out).toMatch(/-a retry -d 'Let tasks that failed/);
  expect(fish.out).toMatch(/-l status -x -a 'running completed failed cancelled'/);
});

it('refuses a shell that it does not know', async () => {
  const { code, err } = await everstep(['completion', 'tcsh']);
  expect(code).toBe(2);
  expect(err).toContain('Allowed choices are bash, zsh, fish');
});
