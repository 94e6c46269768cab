/** The SQLite file and the disk it lies on. */
import { reportOnDisk, type DiskReport } from '../store/sqlite/disk-report.ts';
import { reportOnFile, type FileReport } from '../store/sqlite/file-report.ts';
import type { Check } from './doctor-check.ts';
import { problemOf } from './problem.ts';

const mib = 1024 * 1024;
/** Below that a store soon cannot write; below the other one somebody should look. */
const freeBytesLeast = 64 * mib;
const freeBytesGood = 1024 * mib;

export async function storeChecks(path: string): Promise<Check[]> {
  const checks: Check[] = [];
  try {
    checks.push(...diskChecks(reportOnDisk(path)));
    const report = await reportOnFile(path);
    checks.push(...(report === undefined ? [nothingThere(path)] : fileChecks(path, report)));
  } catch (error) {
    const { message, code } = problemOf(error);
    const fix = `see ${code} in docs/reference/errors.md`;
    checks.push({ name: 'store', state: 'fail', message, fix });
  }
  return checks;
}

export function diskChecks({ folder, freeBytes, writable, network, passing }: DiskReport): Check[] {
  const checks: Check[] = [];
  if (network !== undefined) {
    checks.push({
      name: 'disk',
      state: 'fail',
      message: `${folder} is on a network file system (${network}), where SQLite's locks do not hold; a store there is refused`,
      fix: 'put the store on a local disk',
    });
  } else if (passing !== undefined) {
    checks.push({
      name: 'disk',
      state: 'warn',
      message: `${folder} does not last (${passing}), and every task there is lost with it`,
      fix: 'put the store on a disk or a volume that stays',
    });
  } else {
    checks.push({ name: 'disk', state: 'ok', message: `${folder} is on a local disk` });
  }
  if (!writable) {
    checks.push({
      name: 'folder',
      state: 'fail',
      message: `${folder} cannot be written by this user`,
      fix: 'give the user of the processes the right to write there',
    });
  }
  const room = `${sizeText(freeBytes)} free in ${folder}`;
  if (freeBytes < freeBytesGood) {
    const state = freeBytes < freeBytesLeast ? 'fail' : 'warn';
    checks.push({ name: 'space', state, message: room, fix: 'free some disk space' });
  } else {
    checks.push({ name: 'space', state: 'ok', message: room });
  }
  return checks;
}

function nothingThere(path: string): Check {
  return {
    name: 'store',
    state: 'warn',
    message: `there is no store at ${path}`,
    fix: 'a component makes it when it starts; if one runs, look in its working folder, or name its file with --store',
  };
}

function fileChecks(path: string, report: FileReport): Check[] {
  const { bytes, walBytes, form, newestForm, journalMode, driver, sqliteVersion } = report;
  const size = `${sizeText(bytes)}, write-ahead log ${sizeText(walBytes)}`;
  const checks: Check[] = [
    form < newestForm
      ? {
          name: 'store',
          state: 'warn',
          message: `${path} has form ${form}, and this version writes form ${newestForm} (${size})`,
          fix: 'it is brought up to date when a process of this version opens it; update all processes that use it, and keep a backup',
        }
      : { name: 'store', state: 'ok', message: `${path}, form ${form}, the newest (${size})` },
  ];
  const how = `SQLite ${sqliteVersion} (${driver}), journal mode ${journalMode}`;
  checks.push(
    journalMode === 'wal'
      ? { name: 'sqlite', state: 'ok', message: how }
      : {
          name: 'sqlite',
          state: 'warn',
          message: `${how}; another program has changed it`,
          fix: 'start a component on it, which sets the mode to wal again',
        },
  );
  return checks;
}

function sizeText(bytes: number): string {
  if (bytes < mib) return `${Math.ceil(bytes / 1024)} KiB`;
  return bytes < 1024 * mib
    ? `${(bytes / mib).toFixed(1)} MiB`
    : `${(bytes / 1024 / mib).toFixed(1)} GiB`;
}
