import type { Change } from './change.ts';
import { allowedInAll, type Failing } from './drift.ts';
import { isMuted } from './muted.ts';
import { EPSILON, type ScoreLine } from './snapshot.ts';

/** How long a notified drop is remembered, so that its recovery can be reported. */
const REMEMBERED_DAYS = 90;

const DAY_MS = 24 * 3_600_000;

export interface Alerts {
  /** A drop is reported if it still stands this many snapshots later. */
  confirmDrops: number;
  /** Gains and losses of fewer points are silenced. */
  minimumPoints: number;
  /** Recommendations that are never reported by themselves; see `isMuted`. */
  mute?: readonly string[];
}

/** A drop that is followed until it is confirmed and, once notified, until it has recovered. */
export interface Drop {
  /** Today's name. */
  control: string;
  title: string;
  category: string | null;
  /** Day of the snapshot in which the score fell, and of the one before. */
  date: string;
  previousDate: string | null;
  points: { before: number; after: number };
  maximum: { before: number | null; after: number | null };
  /** The share of all its moves since it fell. */
  percentagePoints: number;
  /** The number of snapshots since then in which it still stood. */
  snapshots: number;
  /** The part of its percentage points that a mail has counted as pending. */
  counted: number;
}

/**
 * The sum of small moves of a control in one direction, since its score was at its best (or worst). No mail reported
 * these moves by themselves, because each was drift, or smaller than minimumPoints.
 */
export interface Sum {
  control: string;
  part: 'drift' | 'silenced';
  direction: 'lost' | 'gained';
  /** The day before the first of them. */
  since: string | null;
  points: number;
  percentagePoints: number;
  /** The part of its percentage points that a mail has counted as drift, or as silenced. */
  counted: number;
  /** How many more fail (for a gain, how many fewer) since they were fewest (most), as far as is known. */
  failing: number;
  /** The last known number that fails. Among many people, several days may pass before one shows in the points. */
  lastFailing: number | null;
}

/** The sum of small moves, on the day on which it is reported. */
export interface AddedUp {
  /** The day before the first of them. */
  since: string | null;
  points: { before: number; after: number };
  percentagePoints: number;
}

/** A drop that recovered before it was reported. */
export interface Healed extends Drop {
  back: string;
}

/** A part of the change, in percentage points, and the number of its controls. */
export interface Part {
  percentagePoints: number;
  controls: number;
}

/** A part that is still growing. It lists its controls because one that moves twice counts once. */
export interface Tally {
  percentagePoints: number;
  of: string[];
}

export function partOf({ percentagePoints, of }: Tally): Part {
  return { percentagePoints, controls: of.length };
}

/**
 * The account between two mails about the score. Everything that moved the score since it was last reported is in
 * exactly one part, so that the next mail adds up to the change that it shows, whether over one day or over weeks.
 */
export interface Account {
  /** The score last reported; null before the first mail. */
  since: ScoreLine | null;
  /** Gains earned here that were reported. */
  gained: Tally;
  lost: Tally;
  /** Re-scored by Microsoft: new, removed and re-scored controls. */
  rescored: Tally;
  /** Decided by somebody. */
  decided: Tally;
  /** Drift, as people and devices come and go. */
  drift: Tally;
  /** Moves below minimumPoints. */
  silenced: Tally;
  /** Moves of muted recommendations, whatever the cause. Older accounts have none. */
  muted?: Tally;
  /** Drops that recovered before they were reported, with what is left of their moves. */
  healed: Healed[];
  /** Minus what an earlier mail counted as pending, drift or silenced and which has since been reported (or healed). */
  countedBefore: number;
  unexplained: number;
}

/** The memory of the fold from day to day. It is stored in a tenant's state, so its keys keep their names. */
export interface Settling {
  /** Pending drops. */
  waiting: Drop[];
  /** Notified drops that have not recovered yet. */
  told: Drop[];
  /** Small moves that may add up. Older states have none. */
  sums?: Sum[];
  account: Account;
}

/**
 * What becomes of a row: it is reported (`told`, a stored name); it is pending, or heals a pending drop; it is silenced;
 * or it is folded into another row of the same control, or into a line.
 */
export type Fate = 'told' | 'waiting' | 'healing' | 'silenced' | 'muted' | 'folded';

export interface SettledChange<Row extends Change> {
  change: Row;
  fate: Fate;
  /** For a reported gain that undoes a notified drop: the day of that drop. */
  downSince: string | null;
  /** For a move with which small moves have added up to lost or gained: all of them together. */
  addedUp: AddedUp | null;
}

export interface SettledDay<Row extends Change> {
  settling: Settling;
  changes: SettledChange<Row>[];
  /** Drops of earlier days that are reported now, because they still stand or can no longer heal. */
  confirmed: Drop[];
}

/** A row with the former name of a renamed control, and the number that fails. */
export interface NamedChange extends Change {
  previousControl: string | null;
  failing?: Failing | null;
}

const NONE: Tally = { percentagePoints: 0, of: [] };

/** Maxima of the total that differ by no more than this, in points, are only rounded; nothing was re-scored. */
const ROUNDING = 0.01;

const NO_SUM = { points: 0, percentagePoints: 0, counted: 0, failing: 0, lastFailing: null };

/** Points have two decimals; this only absorbs what binary fractions add. */
const SLACK = 1e-9;

export const NOTHING_SETTLED: Settling = { waiting: [], told: [], sums: [], account: openAccount(null) };

/** @param since the score that was just reported */
export function openAccount(since: ScoreLine | null): Account {
  return {
    since,
    gained: NONE,
    lost: NONE,
    rescored: NONE,
    decided: NONE,
    drift: NONE,
    silenced: NONE,
    muted: NONE,
    healed: [],
    countedBefore: 0,
    unexplained: 0,
  };
}

/**
 * Settles one day: decides which rows are reported, which are pending, and which are folded into a line. It is a fold
 * over the days: its decisions depend only on the days, not on how many of them a run happened to find.
 * @param rows of `diff`: this day against the one before
 * @param day its date, and what of its change no row explains, in percentage points
 */
export function settleDay<Row extends NamedChange>(
  settling: Settling,
  rows: Row[],
  day: { date: string; unexplained: number },
  alerts: Alerts,
): SettledDay<Row> {
  const fold = new DayFold<Row>(settling, day, alerts);
  for (const [control, ofControl] of byControl(rows)) {
    if (control === null) for (const change of ofControl) fold.settleTenant(change);
    else {
      fold.settleControl(control, ofControl);
      fold.countFailing(control, ofControl);
    }
  }
  return fold.end(rows);
}

/** Rows of one control belong together: at most one of them bears its share. */
function byControl<Row extends NamedChange>(rows: Row[]): Map<string | null, Row[]> {
  const groups = new Map<string | null, Row[]>();
  for (const row of rows) groups.set(row.control, [...(groups.get(row.control) ?? []), row]);
  return groups;
}

class DayFold<Row extends NamedChange> {
  readonly #day: { date: string; unexplained: number };
  readonly #alerts: Alerts;
  readonly #account: Account;
  readonly #pending: Map<string, Drop>;
  readonly #notified: Map<string, Drop>;
  readonly #sums: Map<string, Sum>;
  readonly #confirmed: Drop[] = [];
  readonly #settled = new Map<Row, SettledChange<Row>>();

  constructor(settling: Settling, day: { date: string; unexplained: number }, alerts: Alerts) {
    this.#day = day;
    this.#alerts = alerts;
    this.#account = { ...settling.account };
    this.#account.unexplained += day.unexplained;
    this.#pending = new Map(settling.waiting.map((drop) => [drop.control, drop]));
    this.#notified = new Map(settling.told.map((drop) => [drop.control, drop]));
    this.#sums = new Map((settling.sums ?? []).map((sum) => [keyOf(sum), sum]));
  }

  put(
    change: Row,
    fate: Fate,
    {
      kind,
      downSince,
      addedUp,
    }: { kind?: Change['kind']; downSince?: string | null; addedUp?: AddedUp } = {},
  ): void {
    this.#settled.set(change, {
      change: kind ? { ...change, kind } : change,
      fate,
      downSince: downSince ?? null,
      addedUp: addedUp ?? null,
    });
  }

  /** Settles a row about the tenant: services, or a change of the total's maximum that no control explains. */
  settleTenant(change: Row): void {
    if (change.cause === 'rescored') this.#add('rescored', null, change.percentagePoints);
    const { before, after } = change.maximum;
    const isRounding =
      change.kind === 're-scored' && Math.abs((after ?? 0) - (before ?? 0)) <= ROUNDING + SLACK;
    this.put(change, isRounding ? 'folded' : 'told');
  }

  settleControl(control: string, rows: Row[]): void {
    const row = (...kinds: Change['kind'][]) => rows.find(({ kind }) => kinds.includes(kind));
    const share = rows.reduce((sum, { percentagePoints }) => sum + percentagePoints, 0);
    const cause = rows.find((one) => one.cause !== null)?.cause ?? null;
    const move = row('lost', 'gained', 'drift');
    const renamed = row('renamed');
    const decision = row('decided');

    if (renamed) {
      this.#rename(renamed.previousControl ?? control, control);
      this.put(renamed, 'told');
    }
    if (isMuted(control, this.#alerts.mute ?? [])) {
      this.#mute(control);
      this.#add('muted', control, share);
      for (const each of rows) this.put(each, 'muted');
      return;
    }
    if (decision) this.put(decision, 'told');

    const byMicrosoft = row('new', 'removed', 're-scored');
    if (byMicrosoft) {
      // A pending drop can no longer heal, because the maximum that it is measured by has changed.
      const drop = this.#pending.get(control);
      if (drop) this.#confirm(drop);
      this.#notified.delete(control);
      if (byMicrosoft.kind !== 're-scored') this.#forgetSums(control, 'drift', 'silenced');
      this.#add('rescored', control, share);
      this.put(byMicrosoft, 'told');
      // 9 of 9 that became 10 of 10 is no gain of anybody's, but 9 of 9 that became 0 of 10 is a loss.
      if (move) this.put(move, sameShareOfMaximum(move) || this.#isSmall(moveOf(move)) ? 'folded' : 'told');
      return;
    }
    if (!move) return;
    const pending = this.#pending.get(control);
    if (cause === 'decided') {
      // A decision hides whether the drop would have healed.
      if (pending) this.#confirm(pending);
      this.#add('decided', control, share);
      this.#reportMove(move, share);
      return;
    }
    if (pending) {
      this.#movePending(pending, move, share);
    } else if (move.kind === 'drift') {
      this.#addUp('drift', move, share);
    } else if (this.#isSmall(moveOf(move))) {
      this.#addUp('silenced', move, share);
    } else if (move.kind === 'lost' && this.#alerts.confirmDrops > 0) {
      this.#pending.set(control, dropOf(move, share));
      this.put(move, 'waiting');
    } else {
      this.#add(move.kind === 'lost' ? 'lost' : 'gained', control, share);
      this.#reportMove(move, share);
    }
  }

  /** Ends the day: pending drops have stood for one more snapshot. */
  end(rows: Row[]): SettledDay<Row> {
    for (const { control } of this.#pending.values()) {
      if (isMuted(control, this.#alerts.mute ?? [])) this.#mute(control);
    }
    for (const drop of this.#pending.values()) {
      if (drop.date === this.#day.date) continue;
      const older = { ...drop, snapshots: drop.snapshots + 1 };
      this.#pending.set(drop.control, older);
      if (older.snapshots >= this.#alerts.confirmDrops) this.#confirm(older);
    }
    for (const drop of this.#notified.values()) {
      const age = (Date.parse(this.#day.date) - Date.parse(drop.date)) / DAY_MS;
      if (age > REMEMBERED_DAYS) this.#notified.delete(drop.control);
    }
    return {
      settling: {
        waiting: [...this.#pending.values()],
        told: [...this.#notified.values()],
        sums: [...this.#sums.values()],
        account: this.#account,
      },
      changes: rows.flatMap((row) => this.#settled.get(row) ?? []),
      confirmed: this.#confirmed,
    };
  }

  #reportMove(move: Row, share: number): void {
    const control = move.control!;
    const known = this.#notified.get(control);
    if (move.kind === 'lost') {
      this.#notified.set(control, known ? further(known, move, share) : dropOf(move, share));
      this.put(move, 'told');
      return;
    }
    const back = known !== undefined && isBack(known, move);
    if (back) this.#notified.delete(control);
    this.put(move, 'told', { downSince: back ? known.date : null });
  }

  #movePending(drop: Drop, move: Row, share: number): void {
    const control = drop.control;
    const whole = further(drop, move, share);
    if (!isBack(whole, move)) {
      this.#pending.set(control, whole);
      this.put(move, 'waiting');
      return;
    }
    // A rise above the former level is a gain, and gains are never held back.
    const rise = moveOf(move);
    const gain = Math.min((move.points.after ?? 0) - drop.points.before, rise);
    const gains = gain > EPSILON + SLACK && !this.#isSmall(gain);
    const ofGain = gains ? (share * gain) / rise : 0;
    const healed = further(drop, move, share - ofGain);
    this.#pending.delete(control);
    this.#account.countedBefore -= healed.counted;
    this.#account.healed = [...this.#account.healed, { ...healed, back: this.#day.date }];
    if (gains) this.#add('gained', control, ofGain);
    this.put(move, gains ? 'told' : 'healing', { downSince: gains ? drop.date : null });
  }

  /**
   * Adds a small move to its line, and to its control's sums. If a sum is no longer small, all of it is reported and
   * leaves the line: in this account, or, as far as an earlier mail counted it there, by `countedBefore`.
   */
  #addUp(part: Sum['part'], move: Row, share: number): void {
    const control = move.control!;
    this.#add(part, control, share);
    const moved = moveOf(move);
    for (const direction of ['lost', 'gained'] as const) {
      const sign = direction === 'lost' ? -1 : 1;
      const none = { control, part, direction, since: move.previousDate };
      const former = this.#sums.get(keyOf(none)) ?? NO_SUM;
      const more = move.failing ? move.failing.after - (former.lastFailing ?? move.failing.before) : 0;
      const sum: Sum = {
        ...none,
        ...former,
        points: former.points + moved,
        percentagePoints: former.percentagePoints + share,
        // The sum is at least 0: those who left or were protected earlier do not offset those who fail now.
        failing: Math.max(0, former.failing - sign * more),
      };
      if (sign * sum.points > SLACK) this.#sums.set(keyOf(sum), sum);
      // The score is at its best again, so later moves are counted from here.
      else if (sum.failing > 0) {
        this.#sums.set(keyOf(sum), { ...sum, since: move.date, points: 0, percentagePoints: 0, counted: 0 });
      } else this.#sums.delete(keyOf(sum));
      if (sign * sum.points > SLACK && this.#isMuch(sum, move)) {
        this.#reportSum(sum, move);
        return;
      }
    }
    this.put(move, part === 'drift' ? 'folded' : 'silenced');
  }

  /**
   * Later days are counted from this one, whatever was decided about its move. If it moved, or its maximum did, and
   * nothing says how many fail now, the last known number is of no use: that move was reported, and no sum counts it again.
   */
  countFailing(control: string, rows: Row[]): void {
    const row = rows.find(({ kind }) => ['lost', 'gained', 'drift', 're-scored'].includes(kind));
    if (!row) return;
    const lastFailing = rows.find(({ failing }) => failing)?.failing?.after ?? null;
    for (const [key, sum] of this.#sums) {
      if (sum.control === control) this.#sums.set(key, { ...sum, lastFailing });
    }
  }

  /** Both must be large: protected users who leave cost points, and new users who fail like the others cost none. */
  #isMuch(sum: Sum, { maximum, failing }: Row): boolean {
    if (this.#isSmall(sum.points)) return false;
    if (sum.part === 'silenced') return true;
    if (!failing || !maximum.after) return false;
    const allowed = Math.max(allowedInAll(failing.total), failing.rounding) + SLACK;
    return sum.failing > allowed && (Math.abs(sum.points) / maximum.after) * failing.total > allowed;
  }

  #reportSum({ part, direction, since, ...sum }: Sum, move: Row): void {
    const control = move.control!;
    const { percentagePoints, counted } = sum;
    this.#forgetSums(control, part);
    this.#account.countedBefore -= counted;
    this.#add(part, control, counted - percentagePoints);
    const after = move.points.after ?? 0;
    const points = { before: after - sum.points, after };
    const drop = { ...dropOf({ ...move, points }, percentagePoints), previousDate: since };
    if (direction === 'lost' && this.#alerts.confirmDrops > 0) {
      this.#pending.set(control, drop);
      this.put(move, 'waiting', { kind: direction });
      return;
    }
    this.#add(direction, control, percentagePoints);
    const known = this.#notified.get(control);
    const back = direction === 'gained' && known !== undefined && isBack(known, move);
    if (direction === 'lost')
      this.#notified.set(control, known ? further(known, move, percentagePoints) : drop);
    else if (back) this.#notified.delete(control);
    this.put(move, 'told', {
      kind: direction,
      downSince: back ? known.date : null,
      addedUp: { since, points, percentagePoints },
    });
  }

  #forgetSums(control: string, ...parts: Sum['part'][]): void {
    for (const part of parts) {
      for (const direction of ['lost', 'gained'] as const)
        this.#sums.delete(keyOf({ part, direction, control }));
    }
  }

  /** Reports the drop now, or silences it if little is left of it. */
  #confirm(drop: Drop): void {
    this.#pending.delete(drop.control);
    this.#account.countedBefore -= drop.counted;
    if (this.#isSmall(drop.points.after - drop.points.before)) {
      this.#add('silenced', drop.control, drop.percentagePoints);
      return;
    }
    this.#notified.set(drop.control, drop);
    this.#confirmed.push(drop);
    this.#add('lost', drop.control, drop.percentagePoints);
  }

  /** What is pending of it counts as muted, and nothing of it may be reported any more. */
  #mute(control: string): void {
    const drop = this.#pending.get(control);
    if (drop) {
      this.#pending.delete(control);
      this.#account.countedBefore -= drop.counted;
      this.#add('muted', control, drop.percentagePoints);
    }
    this.#notified.delete(control);
    this.#forgetSums(control, 'drift', 'silenced');
  }

  #rename(from: string, to: string): void {
    for (const drops of [this.#pending, this.#notified]) {
      const drop = drops.get(from);
      if (!drop) continue;
      drops.delete(from);
      drops.set(to, { ...drop, control: to });
    }
    for (const [key, sum] of this.#sums) {
      if (sum.control !== from) continue;
      this.#sums.delete(key);
      this.#sums.set(keyOf({ ...sum, control: to }), { ...sum, control: to });
    }
  }

  #add(
    part: 'gained' | 'lost' | 'rescored' | 'decided' | 'drift' | 'silenced' | 'muted',
    control: string | null,
    share: number,
  ): void {
    const { percentagePoints, of } = this.#account[part] ?? NONE;
    this.#account[part] = {
      percentagePoints: percentagePoints + share,
      of: control === null || of.includes(control) ? of : [...of, control],
    };
  }

  #isSmall(points: number): boolean {
    return Math.abs(points) < this.#alerts.minimumPoints - SLACK;
  }
}

/** The settling after a mail about the score was sent, which has counted the pending drops. */
export function closeAccount(settling: Settling, since: ScoreLine): Settling {
  return {
    told: settling.told,
    waiting: settling.waiting.map((drop) => ({ ...drop, counted: drop.percentagePoints })),
    sums: (settling.sums ?? []).map((sum) => ({ ...sum, counted: sum.percentagePoints })),
    account: openAccount(since),
  };
}

/** Pending drops, as far as no mail has counted them yet. */
export function pendingPart({ waiting }: Settling): Part {
  return {
    percentagePoints: waiting.reduce((sum, drop) => sum + drop.percentagePoints - drop.counted, 0),
    controls: waiting.length,
  };
}

function keyOf({ part, direction, control }: Pick<Sum, 'part' | 'direction' | 'control'>): string {
  return `${part} ${direction} ${control}`;
}

function dropOf(move: Change, share: number): Drop {
  return {
    control: move.control!,
    title: move.title,
    category: move.category,
    date: move.date,
    previousDate: move.previousDate,
    points: { before: move.points.before ?? 0, after: move.points.after ?? 0 },
    maximum: move.maximum,
    percentagePoints: share,
    snapshots: 0,
    counted: 0,
  };
}

function further(drop: Drop, move: Change, share: number): Drop {
  return {
    ...drop,
    points: { before: drop.points.before, after: move.points.after ?? 0 },
    maximum: { before: drop.maximum.before, after: move.maximum.after },
    percentagePoints: drop.percentagePoints + share,
  };
}

/** True if the score is back at its former share of the maximum, or above. */
function isBack(drop: Drop, move: Change): boolean {
  const after = move.points.after ?? 0;
  const before = drop.points.before;
  const then = drop.maximum.before;
  const now = move.maximum.after;
  return then && now ? after / now >= (before - EPSILON) / then : after >= before - EPSILON;
}

function sameShareOfMaximum({ points, maximum }: Change): boolean {
  if (!maximum.before || !maximum.after || points.before === null || points.after === null) return false;
  return Math.abs(points.after / maximum.after - points.before / maximum.before) <= EPSILON;
}

function moveOf({ points }: Change): number {
  return (points.after ?? 0) - (points.before ?? 0);
}
