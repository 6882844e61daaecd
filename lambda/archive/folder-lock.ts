import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { link, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MonitorError, quote } from '../errors.ts';

/*
 * Temporary files and locks of the folder store: what may be left behind by a process that was killed, and how the
 * next one tells that it is dead.
 *
 * Every such file is one *instance*, named `<home>-<pid>-<start>-<random>`: the process that made it, in terms that
 * another process can check, and a random part. `home` is where that pid means something: this host, since this
 * boot, in this pid namespace (two containers may share a host name and a volume, and each have a pid 7).
 *
 * A lock is a file that came to be by link(2) from a finished temporary file, so it is never seen half written, and
 * of two that try one gets EEXIST. Taking over from a dead holder is where such locks usually break:
 *
 *   A and B both read the lock of a dead holder. A removes it and takes its own. B, delayed, removes what it takes
 *   for the dead lock, but by now is A's. Both hold it.
 *
 * So a lock that is not one's own is removed only while holding another lock, named after the bytes of the dead
 * one, and only if the lock still has those bytes. The bytes hold the random part, so they name one instance for
 * good. While that inner lock is held nobody else may remove this instance (its holder is dead), hence nothing can
 * change between the comparison and the removal; who comes later finds other bytes and leaves them alone. A breaker
 * that dies half-way leaves the inner lock behind, a lock with a dead holder like any other, broken the same way.
 *
 * One gap stays, for a folder that several machines share: their pids cannot be checked, so a lock of another home
 * counts as dead after FOREIGN_LOCK_LIMIT, although its holder may only have been stalled for that long (a network
 * file system that hung) and go on. On one machine there is no such guess.
 */

/** A lock is held for milliseconds; one of another machine, or of before a reboot, that is this old is dead. */
const FOREIGN_LOCK_LIMIT = 30_000;
/** Leftovers of another machine are swept when this old: far more than any write takes. */
const FOREIGN_SWEEP_LIMIT = 24 * 3600_000;
/** How long a living holder is waited for. */
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
 * When a process started, in clock ticks since boot, from /proc; 'dead' for one that was killed and that nobody has
 * waited for yet (in a container without an init process it stays so for good), '' where there is no /proc.
 * Fields: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
function startOf(pid: number): string {
  const text = readable(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
  const [state, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return 'dead';
  return rest[18] ?? '';
}

const started = startOf(process.pid);

const newInstance = (): string => `${home}-${process.pid}-${started}-${randomUUID()}`;

/** True if the process that made this instance no longer runs, or, where that cannot be known, if it is too old. */
function isDead(instance: string, age: number, foreignLimit: number): boolean {
  const [, where, pid, start] = /^([0-9a-f]{12})-([1-9]\d*)-(\d*)-/.exec(instance) ?? [];
  if (where !== home) return age > foreignLimit;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return true;
    // EPERM: it runs, as another user
  }
  const now = startOf(Number(pid));
  return now !== '' && start !== '' && now !== start;
}

/** The `code` of a system error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Runs a file operation; the result is undefined where it fails with one of the codes. */
export async function unless<T>(codes: string[], operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (codes.includes(codeOf(error))) return undefined;
    throw error;
  }
}

/**
 * link(2): gives a finished file its name. @param owner what the folder is
 * @returns false where the name is taken. @throws MonitorError `archive-links-unsupported`, `outbox-links-unsupported`
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
    await unlink(file).catch(() => undefined); // the first error is the one to tell
    throw error;
  } finally {
    await handle.close();
  }
  return file;
}

/** ms since 1970 by the clock that stamps files: on a network file system it is not this machine's. */
async function fileSystemTime(folder: string): Promise<number> {
  const stamped = await writeTemporary(folder, new Uint8Array());
  const { mtimeMs } = await stat(stamped);
  await unless(['ENOENT'], unlink(stamped));
  return mtimeMs;
}

/** What a lock file holds: the instance for programs, the rest for people. */
interface Holder {
  instance: string;
  host: string;
  pid: number;
  purpose: string;
}

/** A lock whose text is not what we write (someone edited it) has no instance: it is dead when old enough. */
function parseHolder(text: string): Partial<Holder> {
  try {
    const holder: unknown = JSON.parse(text);
    return typeof holder === 'object' && holder !== null ? holder : {};
  } catch {
    return {};
  }
}

/**
 * Runs `work` while holding the lock `name` in `folder`, against other processes and other calls of this one.
 * @param folder where temporary files and locks lie; exists
 * @param purpose for people who find the lock: what it is held for
 * @throws MonitorError `archive-locked`, retryable, when a living holder keeps it beyond all patience
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
      // Not ours any more if another machine took us for dead.
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
  // Ages are told by the clock of the file system, which our ticket has just been stamped with: on a network file
  // system it is not this machine's.
  const ticketTime = (await stat(ticket.file)).mtimeMs - performance.now();
  while (!(await linkTo(ticket.file, lock))) {
    const text = await unless(['ENOENT'], readFile(lock, 'utf8'));
    const status = await unless(['ENOENT'], stat(lock));
    if (text === undefined || status === undefined) continue; // released just now
    // NFS answers EEXIST to a link that it made, when the answer got lost and the client asked again.
    if (text === ticket.text) return;
    const holder = parseHolder(text);
    const age = ticketTime + performance.now() - status.mtimeMs;
    if (isDead(holder.instance ?? '', age, FOREIGN_LOCK_LIMIT)) {
      await breakLock(folder, lock, text, deadline);
    } else if (performance.now() > deadline) {
      throw new MonitorError(
        'archive-locked',
        `the archive's lock ${quote(lock, 300)} is held by process ${quote(holder.pid)} on ${quote(holder.host)} since ${quote(new Date(status.mtimeMs).toISOString())}, for ${quote(holder.purpose)}`,
        'Try again. If that process is not a run of secure-score (macOS cannot tell a new process with an old number), or no longer exists on that machine, delete the lock file.',
        { retryable: true },
      );
    } else {
      await sleep(2 + Math.random() * 20);
    }
  }
}

/** Removes the lock with exactly this text, of a dead holder: see the top of the file. */
async function breakLock(folder: string, lock: string, text: string, deadline: number): Promise<void> {
  const remove = async (): Promise<void> => {
    if ((await unless(['ENOENT'], readFile(lock, 'utf8'))) === text) await unless(['ENOENT'], unlink(lock));
  };
  await withLock(folder, digest(text), `removing ${path.basename(lock)} of a dead process`, remove, deadline);
}

/** Removes what dead processes left in `folder`. */
export async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder);
  const now = names.length > 0 ? await fileSystemTime(folder) : 0;
  for (const name of names) {
    const file = path.join(folder, name);
    const status = await unless(['ENOENT'], stat(file));
    if (status === undefined) continue;
    const age = now - status.mtimeMs;
    if (name.endsWith('.tmp')) {
      // Its name is never used again, so nobody else's file can be hit.
      if (isDead(name, age, FOREIGN_SWEEP_LIMIT)) await unless(['ENOENT'], unlink(file));
    } else if (name.endsWith('.lock')) {
      const text = await unless(['ENOENT'], readFile(file, 'utf8'));
      if (text === undefined) continue;
      const dead = isDead(parseHolder(text).instance ?? '', age, FOREIGN_SWEEP_LIMIT);
      if (dead) await breakLock(folder, file, text, performance.now() + PATIENCE);
    }
  }
}
