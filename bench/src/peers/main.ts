/**
 * Runs the same work on Everstep and on its peers, and prints a row for each with the ratio. A peer that cannot be had
 * on this machine is named as skipped. Exit code 0: every work was done right. 1: one was not, and has no row.
 * 2: wrong flags.
 */
import { execFileSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { rowOf, summary, type PeerRow } from './comparison.ts';
import { everstepOn, peers, workNames, type Contender, type WorkName } from './contenders.ts';
import { readPeerFlags, usage, type PeerFlags } from './flags.ts';
import { measureEngine, tryServer } from './measure-engine.ts';
import { nodeLts } from './node-lts.ts';
import { installPackages } from './packages-folder.ts';
import { jsonPeerReporter, tablePeerReporter } from './peer-reporter.ts';
import type { PeerFigures } from './works.ts';

interface Ready {
  readonly contender: Contender;
  readonly packages: string;
}

function flagsOrExit(): PeerFlags {
  try {
    return readPeerFlags(process.argv.slice(2));
  } catch (error) {
    return refuse(messageOf(error));
  }
}

function refuse(problem: string): never {
  console.error(`${problem}\n\n${usage}`);
  process.exit(2);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function chosenWorks(contender: Contender): readonly WorkName[] {
  const { only } = flags;
  return contender.works.filter((work) => only?.test(`${contender.title} ${work}`) ?? true);
}

function load(): string {
  return `load ${loadavg()
    .map((value) => value.toFixed(1))
    .join(' ')}`;
}

/** The peers that are chosen and can be had; the others are named. */
async function readyPeers(): Promise<Ready[]> {
  const ready: Ready[] = [];
  for (const contender of peers.filter((peer) => chosenWorks(peer).length > 0)) {
    try {
      const packages = installPackages(contender.engine, contender.packages);
      if (contender.server !== undefined) await tryServer(contender.server, packages);
      ready.push({ contender, packages });
    } catch (error) {
      console.log(reporter.skipped(contender.title, messageOf(error)));
    }
  }
  return ready;
}

async function measured(
  { contender, packages }: Ready,
  work: WorkName,
): Promise<PeerFigures | undefined> {
  try {
    return await measureEngine(contender, work, { node, packages, n: flags.n });
  } catch (error) {
    process.exitCode = 1;
    console.error(`${contender.title} ${work}: ${messageOf(error)}`);
    return undefined;
  }
}

const flags = flagsOrExit();
if (flags.help) {
  console.log(usage);
  process.exit(0);
}
const everstep = everstepOn[flags.store];
const works = workNames.filter((work) =>
  [everstep, ...peers].some((contender) => chosenWorks(contender).includes(work)),
);
if (works.length === 0) refuse('no peer and no work fits --only');

// Ending by a signal would leave servers and files behind.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

const reporter = flags.json ? jsonPeerReporter : tablePeerReporter;
const node = nodeLts();
const ready = await readyPeers();
if (!flags.json) {
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  console.log(`Everstep and every peer on Node ${version}, ${cpus().length} CPUs, ${load()}\n`);
  console.log(reporter.head);
}
const conclusions: string[] = [];
for (const work of works) {
  const ours = await measured({ contender: everstep, packages: '' }, work);
  // Without it there is nothing to compare with.
  if (ours === undefined) continue;
  console.log(reporter.line(rowOf(everstep, work, ours, ours)));
  const rows: PeerRow[] = [];
  for (const peer of ready.filter(({ contender }) => chosenWorks(contender).includes(work))) {
    const figures = await measured(peer, work);
    if (figures === undefined) continue;
    const row = rowOf(peer.contender, work, figures, ours);
    console.log(reporter.line(row));
    rows.push(row);
  }
  conclusions.push(...summary(work, rows));
}
if (!flags.json) console.log(['', ...conclusions, load()].join('\n'));
