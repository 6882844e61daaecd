import path from 'node:path';
import { styleText } from 'node:util';
import type { HistoryEngine, Scope } from '../../history/answer.ts';
import { DuckDbHistory, type Skipped } from '../../history/duckdb.ts';
import type { MonthsByTenant } from '../../history/files.ts';
import { openBucket } from '../../lambda/archive/open-store.ts';
import { layout } from '../../lambda/archive/layout.ts';
import { EXIT } from '../shared/exit.ts';
import { commandLine } from '../../lambda/command-line.ts';

/**
 * What the answers of a command lack: files of the history that are damaged or gone. Said on stderr, whatever the
 * format of the answer on stdout.
 */
export class Losses {
  readonly #location: string;
  #isIncomplete = false;

  /** @param location of the archive, as a person names it */
  constructor(location: string) {
    this.#location = location;
  }

  /** A file was left out of an answer. One that is none of the history's takes nothing from it. */
  onSkipped({ path: file, why, isForeign }: Skipped): void {
    const shown = path.relative('.', file);
    warn(`left out ${shown.startsWith('..') ? file : shown}: ${why}`);
    this.#isIncomplete ||= !isForeign;
  }

  /**
   * Says what is missing of the files that answers within the scope need, and how to get it back.
   * @param archived the months that the archive has snapshots of
   * @returns the exit code: 1 with `strict` and anything damaged or missing
   */
  conclude(
    engine: HistoryEngine,
    { archived, scope, strict }: { archived: MonthsByTenant; scope: Scope | null; strict: boolean },
  ): number {
    const lost = engine instanceof DuckDbHistory ? engine.lost(archived, scope) : [];
    for (const key of lost.slice(0, LISTED)) warn(`${key} is missing`);
    if (lost.length > LISTED) warn(`and ${lost.length - LISTED} more are missing`);
    if (lost.length === 0 && !this.#isIncomplete) return EXIT.done;
    const command = commandLine(`archive rebuild --archive ${this.#location}`);
    console.error(`→ The answer is incomplete. Make the history again from the snapshots: ${command}`);
    return strict ? EXIT.failed : EXIT.done;
  }
}

const LISTED = 10;

function warn(words: string): void {
  console.error(styleText('yellow', `! ${words}`, { stream: process.stderr }));
}

/**
 * The months of which a bucket holds snapshots of a tenant. Of all tenants they are not looked up: that is a list of
 * every object there is.
 * @param location `s3://bucket/prefix`
 */
export async function monthsInBucket(location: string, tenantId: string | null): Promise<MonthsByTenant> {
  if (tenantId === null) return new Map();
  const keys = await openBucket(location).list(layout.snapshots(tenantId));
  const months = keys.flatMap((key) => layout.parseSnapshot(key)?.date.slice(0, 7) ?? []);
  return months.length > 0 ? new Map([[tenantId, new Set(months)]]) : new Map();
}

/** Says where a history begins that has been asked for days before that. */
export async function sayWhatIsLeft(
  engine: HistoryEngine,
  from: string | null,
  tenant: string | null,
): Promise<void> {
  if (from === null) return;
  const oldest = await engine.oldest(tenant);
  if (oldest !== null && from < oldest) {
    warn(`the history begins on ${oldest}: there is nothing of the days from ${from} until then`);
  }
}
