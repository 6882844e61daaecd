import { failureOf } from '../../shared/failure.ts';

export type Mark = 'ok' | 'warning' | 'failed' | 'skipped';

/** The result of one check. */
export interface Finding {
  /** What was checked, like `certificate`. */
  check: string;
  /** Name of the tenant that it is about; null for the setup as a whole. */
  tenant: string | null;
  status: Mark;
  /** What was found, or why the check was skipped. */
  found: string;
  /** What to do; null if nothing has to be done. */
  advice: string | null;
  /** Code of the error, for programs. */
  code: string | null;
}

/** The result of a check that passed; one that fails throws. */
export interface Outcome<T> {
  found: string;
  /** For the checks that need it. */
  value: T;
  /** What to do about something that will fail later, or may be meant so. */
  warning?: string;
}

/** A check that was run: its value, or the check that blocks those that need it. */
export type Checked<T> = { value: T } | { blocked: string };

type Values<Needs extends readonly Checked<unknown>[]> = {
  [Index in keyof Needs]: Needs[Index] extends Checked<infer Value> ? Value : never;
};

/**
 * Runs checks one after the other. A check that fails stops only those that need its value.
 * @param report called with each result as soon as it is known
 */
export class Examination {
  readonly #report: (finding: Finding) => void;
  readonly #tenant: string | null;
  readonly #unused: string | null;

  constructor(
    report: (finding: Finding) => void,
    tenant: string | null = null,
    unused: string | null = null,
  ) {
    this.#report = report;
    this.#tenant = tenant;
    this.#unused = unused;
  }

  /** The same, for checks that are left out where a reason is given. */
  unless(reason: string | false): Examination {
    return new Examination(this.#report, this.#tenant, reason === false ? this.#unused : reason);
  }

  /**
   * Runs a check and reports its result.
   * @param needs checks whose values it needs: it is skipped if one of them has no value
   */
  async check<const Needs extends readonly Checked<unknown>[], T>(
    check: string,
    needs: Needs,
    look: (...values: Values<Needs>) => Promise<Outcome<T>> | Outcome<T>,
  ): Promise<Checked<T>> {
    const report = (status: Mark, found: string, advice: string | null = null, code: string | null = null) =>
      this.#report({ check, tenant: this.#tenant, status, found, advice, code });
    if (this.#unused !== null) {
      report('skipped', `not used: ${this.#unused}`);
      return { blocked: `${check} is not used` };
    }
    const blocked = needs.find((need) => 'blocked' in need);
    if (blocked) {
      report('skipped', `skipped, because ${blocked.blocked}`);
      return blocked;
    }
    try {
      const values = needs.map((need) => 'value' in need && need.value) as Values<Needs>;
      const { found, value, warning } = await look(...values);
      report(warning === undefined ? 'ok' : 'warning', found, warning);
      return { value };
    } catch (error) {
      const { code, message, advice } = failureOf(error);
      report('failed', message, advice, code);
      return { blocked: `${check} failed` };
    }
  }
}

/** A value taken out of a check, without a check of its own. */
export function derived<T, U>(checked: Checked<T>, take: (value: T) => U): Checked<U> {
  return 'value' in checked ? { value: take(checked.value) } : checked;
}

/** The value, where there is one. */
export function valueOf<T>(checked: Checked<T>): T | undefined {
  return 'value' in checked ? checked.value : undefined;
}
