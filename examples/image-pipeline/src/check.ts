/**
 * What has to be true at the end, judged from what was seen through the web process, from the ledgers of
 * worker and provider, and from the files on disk. Each problem is a sentence.
 */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import sharp from 'sharp';
import type { ProviderEntry, WorkerEntry } from './ledger.ts';
import { type Observed, stages } from './observations.ts';
import { type ImageFacts, type Manifest, thumbnailSizes } from './results.ts';

export interface Repeats {
  /** Steps that ran again although they were completed, as a status or a later step had shown: none may. */
  readonly completedStepsRunAgain: number;
  /** Steps that ran again because the worker was killed before their end was kept: that is honest. */
  readonly repeatedInFlight: number;
  readonly problems: readonly string[];
}

/** Reads the ledgers for steps that ran more than once. */
export function findRepeats(
  tasks: readonly Observed[],
  worker: readonly WorkerEntry[],
  provider: readonly ProviderEntry[],
): Repeats {
  const problems: string[] = [];
  let completedStepsRunAgain = 0;
  let repeatedInFlight = 0;
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const ownerOfKey = new Map<string, Observed>();
  const last = new Map<string, WorkerEntry>();
  const furthest = new Map<string, number>();

  for (const entry of worker) {
    const { taskId, key } = entry;
    const task = byId.get(taskId);
    const stage =
      task === undefined ? -1 : stages[task.kind].findIndex((keys) => keys.includes(key));
    const step = `${key} of ${taskId}`;
    if (task === undefined || stage === -1) {
      problems.push(`${step} ran, but is no step of a task that was submitted`);
      continue;
    }
    const before = last.get(step);
    last.set(step, entry);
    if (entry.event !== 'started') continue;
    if (key === 'enhance') ownerOfKey.set(entry.idempotencyKey, task);
    const reached = furthest.get(taskId) ?? 0;
    furthest.set(taskId, Math.max(reached, stage));
    if (entry.at > (task.completedAt.get(key) ?? Infinity)) {
      completedStepsRunAgain += 1;
      problems.push(`${step} ran again after a status had shown it as completed`);
    } else if (stage < reached) {
      completedStepsRunAgain += 1;
      problems.push(`${step} ran again after a later step had started`);
    } else if (before !== undefined && before.event !== 'failed') {
      // It was running, or its end was on the way to the store: only a kill may repeat it.
      repeatedInFlight += 1;
      if (before.worker === entry.worker) problems.push(`${step} ran twice in one worker`);
    }
  }

  const accepted = new Set<string>();
  for (const { event, idempotencyKey, at } of provider) {
    const task = ownerOfKey.get(idempotencyKey);
    if (task === undefined) {
      problems.push(`the provider got a request that is in no worker's ledger: ${idempotencyKey}`);
      continue;
    }
    if (at > (task.completedAt.get('enhance') ?? Infinity)) {
      problems.push(`the job of ${task.id} was asked for again after it was completed`);
    }
    if (event !== 'accepted') continue;
    if (accepted.has(task.id)) problems.push(`the provider did the job of ${task.id} twice`);
    accepted.add(task.id);
  }
  return { completedStepsRunAgain, repeatedInFlight, problems };
}

/** Holds a task's result against the picture it was made of, and against the files on disk. */
export async function checkResult(
  task: Observed,
  result: unknown,
  folders: { readonly images: string; readonly gallery: string },
): Promise<string[]> {
  const original = await readFile(join(folders.images, task.source));
  return task.kind === 'probe'
    ? checkFacts(task.id, original, result as ImageFacts)
    : checkGallery(task, original, result as Manifest, join(folders.gallery, task.id));
}

async function checkFacts(id: string, original: Buffer, facts: ImageFacts): Promise<string[]> {
  const { format, width, height } = await sharp(original).metadata();
  const right =
    facts.format === format &&
    facts.width === width &&
    facts.height === height &&
    /^#[0-9a-f]{6}$/.test(facts.dominant);
  return right ? [] : [`${id}: wrong facts ${JSON.stringify(facts)}`];
}

async function checkGallery(
  { id, source }: Observed,
  original: Buffer,
  manifest: Manifest,
  folder: string,
): Promise<string[]> {
  const { width, height } = await sharp(original).metadata();
  const sizes = new Map<string, readonly [number, number]>([
    [`source${extname(source)}`, [width, height]],
    ['enhanced.jpg', [width * 2, height * 2]],
    ...thumbnailSizes.map((size) => [`thumbnail-${size}.png`, [size, size]] as const),
  ]);
  const problems: string[] = [];
  const onDisk = await readdir(folder).catch((): string[] => []);
  const missing = [...sizes.keys(), 'manifest.json'].filter((name) => !onDisk.includes(name));
  if (missing.length > 0) return [`${id}: not on disk: ${missing.join(', ')}`];

  const kept = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest;
  if (JSON.stringify(kept) !== JSON.stringify(manifest)) {
    problems.push(`${id}: the manifest on disk is not the task's result`);
  }
  for (const [name, size] of sizes) {
    const bytes = await readFile(join(folder, name));
    const entry = kept.files.find((file) => file.name === name);
    if (entry?.sha256 !== createHash('sha256').update(bytes).digest('hex')) {
      problems.push(`${id}: ${name} does not have the SHA-256 that its manifest names`);
    }
    const decoded = await sharp(bytes)
      .raw()
      .toBuffer({ resolveWithObject: true })
      .catch(() => undefined);
    const [right, down] = size;
    if (decoded?.info.width !== right || decoded?.info.height !== down) {
      problems.push(`${id}: ${name} is no picture of ${right} × ${down}`);
    }
  }
  const copy = await readFile(join(folder, `source${extname(source)}`));
  if (!copy.equals(original)) problems.push(`${id}: its source is not the picture that was sent`);
  return problems;
}
