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
 * Files of the history that are damaged or missing, so that the answers of a command lack their rows. They are reported
 * on stderr, whatever the format of the answer on stdout.
 */
export class Losses {
  readonly #location: string;
  #isIncomplete = false;

  /** @param location of the archive, as a person names it */
  constructor(location: string) {
    this.#location = location;
  }

  /** Notes a file that was left out of an answer. A file that does not belong to the history is no loss. */
  onSkipped({ path: file, why, isForeign }: Skipped): void {
    const shown = path.relative('.', file);
    warn(`left out ${shown.startsWith('..') ? file : shown}: ${why}`);
    this.#isIncomplete ||= !isForeign;
  }

  /**
   * Reports which of the files that answers within the scope need are missing, and how to restore them.
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
    console.error(`→ The answer is incomplete. Rebuild the history from the snapshots: ${command}`);
    return strict ? EXIT.failed : EXIT.done;
  }
}

const LISTED = 10;

function warn(words: string): void {
  console.error(styleText('yellow', `! ${words}`, { stream: process.stderr }));
}

/**
 * The months for which a bucket has snapshots of a tenant. For all tenants this is not looked up, because it would list
 * every object in the bucket.
 * @param location `s3://bucket/prefix`
 */
export async function monthsInBucket(location: string, tenantId: string | null): Promise<MonthsByTenant> {
  if (tenantId === null) return new Map();
  const keys = await (await openBucket(location)).list(layout.snapshots(tenantId));
  const months = keys.flatMap((key) => layout.parseSnapshot(key)?.date.slice(0, 7) ?? []);
  return months.length > 0 ? new Map([[tenantId, new Set(months)]]) : new Map();
}

/** Warns that a history begins after the first day that was asked for. */
export async function reportWhatIsLeft(
  engine: HistoryEngine,
  from: string | null,
  tenant: string | null,
): Promise<void> {
  if (from === null) return;
  const oldest = await engine.oldest(tenant);
  if (oldest !== null && from < oldest) {
    warn(`the history begins on ${oldest}: it has no days from ${from} until then`);
  }
}
