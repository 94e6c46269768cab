/** What must hold of a path before SQLite is let near it. Nothing here writes into an existing file. */
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
  statfsSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { notWritable, storeErrorOf } from './database.ts';
import { applicationId, newerVersion } from './migrations.ts';
import { StoreError } from '../store.ts';

/** f_type of file systems whose locks or shared memory do not hold between machines. */
const networkTypes: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x01021997, '9P'],
]);
const fuseType = 0x65735546;
/** FUSE is also a way to local disks; these kinds of it are not. */
const networkFuse =
  /^fuse\.(sshfs|s3fs|rclone|glusterfs|gcsfuse|goofys|davfs2?|curlftpfs|juicefs|cephfs|mountpoint-s3|smbnetfs|blobfuse2?)/;

export function makeFolder(path: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    if ((cause as { code?: string }).code === 'ENOSPC') throw storeErrorOf(cause, path);
    throw notWritable(
      path,
      `the folder ${folder} cannot be made: ${(cause as Error).message}`,
      cause,
    );
  }
}

export function refuseNetworkFileSystem(path: string): void {
  const folder = dirname(path);
  const type = networkFileSystem(statfsSync(folder).type, () => mountType(realpathSync(folder)));
  if (type === undefined) return;
  throw new StoreError(
    'STORE_NETWORK_FILE_SYSTEM',
    `The database ${path} lies on a network file system (${type}), where SQLite's locks do not hold and data can be ` +
      `lost. Choose a path on a local disk; processes of several machines cannot share a SQLite file.`,
    { cause: { type } },
  );
}

/** Its name when that kind of file system is reached over a network. */
export function networkFileSystem(
  type: number,
  mounted: () => string | undefined,
): string | undefined {
  const known = networkTypes.get(type >>> 0);
  if (known !== undefined) return known;
  if (type >>> 0 !== fuseType) return undefined;
  const name = mounted();
  return name !== undefined && networkFuse.test(name) ? name : undefined;
}

export function mountType(folder: string): string | undefined {
  let best = '';
  let type: string | undefined;
  let mounts: string;
  try {
    mounts = readFileSync('/proc/self/mounts', 'utf8');
  } catch {
    return undefined;
  }
  for (const line of mounts.split('\n')) {
    const [, point = '', kind] = line.split(' ');
    const inside = point === '/' || folder === point || folder.startsWith(`${point}/`);
    if (inside && point.length >= best.length) {
      best = point;
      type = kind;
    }
  }
  return type;
}

/**
 * Reads the header of a file that exists: it must be an SQLite file of ours, whole, and no newer than we know.
 * The application id is in the main file from its first commit on, because that is made before WAL is switched on.
 */
export function checkHeader(path: string, newestKnown: number): void {
  if (!existsSync(path)) return;
  const kind = statSync(path);
  if (kind.isDirectory()) throw notWritable(path, 'it is a folder', { code: 'EISDIR' });
  if (!kind.isFile()) {
    throw notWritable(path, 'it is a device, a pipe or a socket, and no file', { code: 'EINVAL' });
  }
  const header = Buffer.alloc(100);
  let length: number;
  let size: number;
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    length = readSync(file, header, 0, 100, 0);
    size = fstatSync(file).size;
  } catch (cause) {
    throw storeErrorOf(cause, path);
  } finally {
    if (file !== undefined) closeSync(file);
  }
  // By what was read, and not by the size, which is asked later: another process may be creating it just now.
  if (length === 0) return;
  if (length < 100 || header.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
    throw notOurs(path, 'it is not an SQLite database');
  }
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  const pages = header.readUInt32BE(28);
  const version = header.readUInt32BE(60);
  const id = header.readUInt32BE(68);
  if (id === 0 && version === 0 && pages <= 1) return;
  if (id !== applicationId) {
    throw notOurs(path, 'it is an SQLite database of another program');
  }
  if (version > newestKnown) throw newerVersion(path, version, newestKnown);
  if (size < pages * pageSize && !existsSync(`${path}-wal`) && !existsSync(`${path}-journal`)) {
    throw notOurs(path, `it is cut short: ${size} of ${pages * pageSize} bytes`);
  }
}

function notOurs(path: string, what: string): StoreError {
  return new StoreError(
    'STORE_CORRUPT',
    `The file ${path} cannot be used as a database: ${what}. It was not touched. Choose another path, or restore a ` +
      `backup, or move the file away to begin anew.`,
    { cause: { what } },
  );
}
