import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { link, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MonitorError, quote } from '../errors.ts';

/*
 * Temporary files and locks of the folder store: what a killed process may leave behind, and how the next process
 * recognizes that its owner is dead.
 *
 * Every such file is one *instance*, named `<home>-<pid>-<start>-<random>`: the process that created it, in a form
 * that another process can check, and a random part. `home` is the scope of the pid: this host, since this boot, in
 * this pid namespace (two containers may share a host name and a volume, and each have a pid 7).
 *
 * A lock is a file created by link(2) from a finished temporary file. It is therefore never visible incomplete,
 * and of two processes that try, one gets EEXIST. Such locks usually break where a dead holder's lock is taken over:
 *
 *   A and B both read the lock of a dead holder. A removes it and takes its own. B, delayed, removes what it
 *   believes to be the dead lock, but which is A's by now. Both hold the lock.
 *
 * A process therefore removes another one's lock only while it holds an inner lock, named after the bytes of the
 * dead one, and only if the dead lock still has those bytes. The bytes include the random part, so they identify one
 * instance forever. While the inner lock is held, nobody else may remove this instance (its holder is dead), so
 * nothing can change between the comparison and the removal. A process that comes later finds other bytes and leaves
 * them alone. If the remover dies before it is done, its inner lock is a lock with a dead holder, and is removed the same way.
 *
 * One gap remains, for a folder that several machines share. Their pids cannot be checked, so a lock of another home
 * counts as dead after FOREIGN_LOCK_LIMIT, although its holder may only have been stalled for that long (by a hung
 * network file system) and may continue. On a single machine nothing is guessed.
 */

/**
 * The age, in ms, at which a lock of another machine, or from before a reboot, counts as dead. A lock is normally held
 * for milliseconds.
 */
const FOREIGN_LOCK_LIMIT = 30_000;
/** The age, in ms, at which another machine's leftovers are removed: far longer than any write takes. */
const FOREIGN_SWEEP_LIMIT = 24 * 3600_000;
/** The maximum time, in ms, to wait for a living holder. */
const PATIENCE = 10_000;

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

const readable = (read: () => string): string => {
  try {
    return read();
  } catch {
    return ''; // no /proc: macOS, Windows
  }
};

const home = digest(
  [
    hostname(),
    readable(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    readable(() => readlinkSync('/proc/self/ns/pid')),
  ].join('\n'),
).slice(0, 12);

/**
 * The start of a process, in clock ticks since boot, from /proc; 'dead' for a zombie (in a container without an init
 * process it stays one forever), '' where there is no /proc.
 * Fields: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
function startOf(pid: number): string {
  const text = readable(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The second field is the program's name in parentheses, which may itself contain spaces and parentheses.
  const [state, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return 'dead';
  return rest[18] ?? '';
}

const started = startOf(process.pid);

const newInstance = (): string => `${home}-${process.pid}-${started}-${randomUUID()}`;

/** True if the process that created this instance is gone or, where that cannot be known, if the instance is too old. */
function isDead(instance: string, age: number, foreignLimit: number): boolean {
  const [, where, pid, start] = /^([0-9a-f]{12})-([1-9]\d*)-(\d*)-/.exec(instance) ?? [];
  if (where !== home) return age > foreignLimit;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return true;
    // EPERM means that the process runs as another user.
  }
  const now = startOf(Number(pid));
  return now !== '' && start !== '' && now !== start;
}

/** The `code` of a system error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Runs a file operation. @returns undefined if it fails with one of the codes */
export async function unless<T>(codes: string[], operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (codes.includes(codeOf(error))) return undefined;
    throw error;
  }
}

/**
 * Gives a finished file its name by link(2). @param owner the kind of folder, for the error
 * @returns false if the name is taken. @throws MonitorError `archive-links-unsupported`, `outbox-links-unsupported`
 */
export async function linkTo(
  finished: string,
  name: string,
  owner: 'archive' | 'outbox' = 'archive',
): Promise<boolean> {
  try {
    await link(finished, name);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'].includes(codeOf(error))) {
      throw new MonitorError(
        `${owner}-links-unsupported`,
        `the file system refuses the hard link ${quote(name, 300)} (${codeOf(error)})`,
        `The ${owner} needs hard links, within one file system, to write without ever overwriting. Put it on a local disk (ext4, xfs, btrfs, APFS, NTFS) or NFS; FAT, exFAT and many network or FUSE mounts have none.`,
        { cause: error },
      );
    }
    throw error;
  }
}

/** Writes a finished temporary file, on the disk when this returns. @returns its path */
export async function writeTemporary(folder: string, bytes: Uint8Array): Promise<string> {
  const file = path.join(folder, `${newInstance()}.tmp`);
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await unlink(file).catch(() => undefined); // the first error is the one to report
    throw error;
  } finally {
    await handle.close();
  }
  return file;
}

/** The time, in ms since 1970, by the clock that stamps files. On a network file system it is not this machine's. */
async function fileSystemTime(folder: string): Promise<number> {
  const stamped = await writeTemporary(folder, new Uint8Array());
  const { mtimeMs } = await stat(stamped);
  await unless(['ENOENT'], unlink(stamped));
  return mtimeMs;
}

/** The content of a lock file: the instance for programs, the rest for people. */
interface Holder {
  instance: string;
  host: string;
  pid: number;
  purpose: string;
}

/** Parses a lock file. A text that is not ours (someone edited it) has no instance, so only its age counts. */
function parseHolder(text: string): Partial<Holder> {
  try {
    const holder: unknown = JSON.parse(text);
    return typeof holder === 'object' && holder !== null ? holder : {};
  } catch {
    return {};
  }
}

/**
 * Runs `work` while holding the lock `name` in `folder`, which excludes other processes and other calls of this one.
 * @param folder an existing folder for temporary files and locks
 * @param purpose what the lock is held for, for people who find it
 * @throws MonitorError `archive-locked`, retryable, if a living holder has it for longer than PATIENCE
 */
export async function withLock<T>(
  folder: string,
  name: string,
  purpose: string,
  work: () => Promise<T>,
  deadline: number = performance.now() + PATIENCE,
): Promise<T> {
  const lock = path.join(folder, `${name}.lock`);
  const holder: Holder = {
    instance: newInstance(),
    host: hostname(),
    pid: process.pid,
    purpose,
  };
  const text = `${JSON.stringify(holder)}\n`;
  const ticket = await writeTemporary(folder, Buffer.from(text));
  try {
    await acquire(folder, lock, { file: ticket, text }, deadline);
    try {
      return await work();
    } finally {
      // The lock is no longer ours if another machine considered us dead.
      if ((await unless(['ENOENT'], readFile(lock, 'utf8'))) === text) await unless(['ENOENT'], unlink(lock));
    }
  } finally {
    await unless(['ENOENT'], unlink(ticket));
  }
}

async function acquire(
  folder: string,
  lock: string,
  ticket: { file: string; text: string },
  deadline: number,
): Promise<void> {
  // Ages are measured by the clock of the file system, which has just stamped our ticket, because on a network file
  // system it is not this machine's clock.
  const ticketTime = (await stat(ticket.file)).mtimeMs - performance.now();
  while (!(await linkTo(ticket.file, lock))) {
    const text = await unless(['ENOENT'], readFile(lock, 'utf8'));
    const status = await unless(['ENOENT'], stat(lock));
    if (text === undefined || status === undefined) continue; // released just now
    // NFS answers EEXIST for a link that it did create, if its first answer was lost and the client asked again.
    if (text === ticket.text) return;
    const holder = parseHolder(text);
    const age = ticketTime + performance.now() - status.mtimeMs;
    if (isDead(holder.instance ?? '', age, FOREIGN_LOCK_LIMIT)) {
      await breakLock(folder, lock, text, deadline);
    } else if (performance.now() > deadline) {
      throw new MonitorError(
        'archive-locked',
        `the archive's lock ${quote(lock, 300)} is held by process ${quote(holder.pid)} on ${quote(holder.host)} since ${quote(new Date(status.mtimeMs).toISOString())}, for ${quote(holder.purpose)}`,
        'Try again. If that process no longer exists on that machine, or is not a run of secure-score (on macOS and Windows a new process may have got its number), delete the lock file.',
        { retryable: true },
      );
    } else {
      await sleep(2 + Math.random() * 20);
    }
  }
}

/** Removes the lock of a dead holder if it still has exactly this text (see the top of the file). */
async function breakLock(folder: string, lock: string, text: string, deadline: number): Promise<void> {
  const remove = async (): Promise<void> => {
    if ((await unless(['ENOENT'], readFile(lock, 'utf8'))) === text) await unless(['ENOENT'], unlink(lock));
  };
  await withLock(folder, digest(text), `removing ${path.basename(lock)} of a dead process`, remove, deadline);
}

/** Removes what dead processes have left in `folder`. */
export async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder);
  const now = names.length > 0 ? await fileSystemTime(folder) : 0;
  for (const name of names) {
    const file = path.join(folder, name);
    const status = await unless(['ENOENT'], stat(file));
    if (status === undefined) continue;
    const age = now - status.mtimeMs;
    if (name.endsWith('.tmp')) {
      // An instance's name is never used again, so this cannot hit another process's file.
      if (isDead(name, age, FOREIGN_SWEEP_LIMIT)) await unless(['ENOENT'], unlink(file));
    } else if (name.endsWith('.lock')) {
      const text = await unless(['ENOENT'], readFile(file, 'utf8'));
      if (text === undefined) continue;
      const dead = isDead(parseHolder(text).instance ?? '', age, FOREIGN_SWEEP_LIMIT);
      if (dead) await breakLock(folder, file, text, performance.now() + PATIENCE);
    }
  }
}
