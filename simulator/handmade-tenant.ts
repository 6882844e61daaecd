import { addDays, DAYS_KEPT, fillStatus, type SimulatedTenant } from './tenant.ts';
import { DEFAULT_STATE, percentageOf, round2, VENDOR } from './wire.ts';
import type { WireControlScore, WireProfile, WireSecureScore, WireStateUpdate } from './wire.ts';

/** The facts of a control that a test sets; everything else is filled in. */
export interface HandmadeControl {
  points: number;
  /** In points; the profile's if absent, or 10 if that has none. */
  maximum?: number;
  category?: string;
  count?: number;
  total?: number;
  /** By default, whether there are points, if nothing is counted. */
  on?: boolean;
  /** A template: `You have {count} of {total} users …`, `current status: {state}`. */
  status?: string;
  description?: string;
  lastSynced?: string;
  /** Of a device control; "default" where absent and its category is Device. */
  state?: string;
  /** Graph's percentage, if it must not follow from points and maximum. */
  percentage?: number;
}

export interface HandmadeDay {
  /** yyyy-mm-dd. */
  date: string;
  /** The first day on which Graph serves it; `date` if absent. */
  published?: string;
  /** The sum of the controls if absent. */
  points?: number;
  /** The sum of the controls' maxima if absent. */
  maximum?: number;
  services?: string[];
  /** A number means points, of 10 or of the profile's maximum. */
  controls: Record<string, number | HandmadeControl>;
}

export interface HandmadeOptions {
  tenantId: string;
  days: HandmadeDay[];
  /** The latest of the days if absent. */
  today?: string;
  /** By id. Every control of the first `days` has one, unless it is null here. */
  profiles?: Record<string, Partial<WireProfile> | null>;
}

/** A tenant whose every number is set by a test. Days after today are served once the calendar reaches them. */
export class HandmadeTenant implements SimulatedTenant {
  readonly tenantId: string;
  #today: string;
  readonly #days = new Map<string, HandmadeDay>();
  readonly #profiles = new Map<string, WireProfile>();

  constructor({ tenantId, days, today, profiles = {} }: HandmadeOptions) {
    this.tenantId = tenantId.toLowerCase();
    for (const day of days) this.publish(day);
    this.#today =
      today ??
      days
        .map(({ date }) => date)
        .toSorted()
        .at(-1) ??
      '2026-01-01';
    const names = new Set([
      ...days.flatMap(({ controls }) => Object.keys(controls)),
      ...Object.keys(profiles),
    ]);
    for (const name of names) {
      const given = profiles[name];
      if (given !== null) this.setProfile(name, given ?? {});
    }
  }

  get today(): string {
    return this.#today;
  }

  advance(days: number): void {
    this.#today = addDays(this.#today, days);
  }

  /** Adds a day, or replaces the one with the same date. */
  publish(day: HandmadeDay): void {
    this.#days.set(day.date, day);
  }

  /** Changes a day from now on. A control that is null is no longer in it; those not listed stay as they are. */
  restate(
    date: string,
    changes: Partial<Omit<HandmadeDay, 'date' | 'controls'>> & {
      controls?: Record<string, number | HandmadeControl | null>;
    },
  ): void {
    const day = this.#days.get(date);
    if (!day) throw new RangeError(`There is no ${date} to restate`);
    const controls = Object.entries({ ...day.controls, ...changes.controls });
    this.#days.set(date, {
      ...day,
      ...changes,
      controls: Object.fromEntries(
        controls.flatMap(([name, control]) => (control === null ? [] : [[name, control]])),
      ),
    });
  }

  /** Graph no longer serves the day. */
  withdraw(date: string): void {
    this.#days.delete(date);
  }

  /** Adds a profile or changes the one with that id. */
  setProfile(id: string, changes: Partial<WireProfile>): void {
    const known = this.#profiles.get(id);
    this.#profiles.set(id, { ...(known ?? this.#newProfile(id)), ...changes });
  }

  removeProfile(id: string): void {
    this.#profiles.delete(id);
  }

  /** Somebody sets a state in the portal; it does not touch the points. */
  decide(id: string, update: Partial<WireStateUpdate> & { state: string }): void {
    const known = this.#profiles.get(id)?.controlStateUpdates ?? [DEFAULT_STATE];
    this.setProfile(id, { controlStateUpdates: [...known, { ...DEFAULT_STATE, ...update }] });
  }

  read(): ReturnType<SimulatedTenant['read']> {
    const oldest = addDays(this.#today, 1 - DAYS_KEPT);
    const dates = [...this.#days.values()]
      .filter(
        ({ date, published }) => date >= oldest && date <= this.#today && (published ?? date) <= this.#today,
      )
      .map(({ date }) => date)
      .toSorted()
      .toReversed();
    return {
      dates,
      secureScore: (date, complete) => this.#secureScore(date, complete),
      profiles: () => [...this.#profiles.values()],
    };
  }

  #secureScore(date: string, complete: boolean): WireSecureScore {
    const day = this.#days.get(date);
    if (!day) throw new RangeError(`There is no ${date}`);
    const controls = Object.entries(day.controls).map(([name, control]) => ({
      name,
      maximum: this.#profiles.get(name)?.maxScore ?? 10,
      ...(typeof control === 'number' ? { points: control } : control),
    }));
    return {
      id: `${this.tenantId}_${date}`,
      azureTenantId: this.tenantId,
      activeUserCount: 40,
      createdDateTime: `${date}T00:00:00Z`,
      currentScore: day.points ?? round2(controls.reduce((sum, { points }) => sum + points, 0)),
      enabledServices: day.services ?? ['HasAADP2', 'HasEXOP2'],
      licensedUserCount: 0,
      maxScore: day.maximum ?? round2(controls.reduce((sum, { maximum }) => sum + maximum, 0)),
      vendorInformation: VENDOR,
      averageComparativeScores: [{ basis: 'AllTenants', averageScore: 46.1 }],
      controlScores: controls.map((control) => controlScore(control, date, complete)),
    };
  }

  #newProfile(id: string): WireProfile {
    return {
      id,
      azureTenantId: this.tenantId,
      actionType: 'Config',
      actionUrl: `https://security.microsoft.com/securescore?tid=${this.tenantId}`,
      controlCategory: 'Apps',
      title: `Title of ${id}`,
      deprecated: false,
      implementationCost: 'Low',
      lastModifiedDateTime: null,
      maxScore: 10,
      rank: 10,
      remediation: `<p>Do what <b>${id}</b> asks for.</p>`,
      remediationImpact: 'None.',
      service: 'EXO',
      threats: ['Account breach'],
      tier: 'Core',
      userImpact: 'Low',
      vendorInformation: VENDOR,
      complianceInformation: [],
      controlStateUpdates: [DEFAULT_STATE],
    };
  }
}

type Named = HandmadeControl & { name: string; maximum: number };

function controlScore(control: Named, date: string, complete: boolean): WireControlScore {
  const { name, points, maximum, count, total } = control;
  const on = control.on ?? points > 0;
  const state = control.state ?? (control.category === 'Device' ? 'default' : undefined);
  const counted = count !== undefined || total !== undefined;
  const template =
    control.status ??
    (counted ? 'You have {count} of {total} users that are covered.' : 'current status: {state}');
  const values = { count: count ?? '', total: total ?? '', state: on ? 'On' : 'Off' };
  return {
    controlCategory: control.category ?? 'Apps',
    controlName: name,
    description: complete ? (control.description ?? `What ${name} is about.`) : null,
    score: points,
    ...(complete ? { lastSynced: control.lastSynced ?? `${date}T04:34:13Z` } : {}),
    implementationStatus: fillStatus(template, complete ? values : null),
    ...(complete && count !== undefined ? { count: String(count) } : {}),
    ...(complete && total !== undefined ? { total: String(total) } : {}),
    ...(complete && (control.on !== undefined || !counted)
      ? { on: on ? ('true' as const) : ('false' as const) }
      : {}),
    ...(complete && state !== undefined ? { state } : {}),
    scoreInPercentage: control.percentage ?? percentageOf(points, maximum),
  };
}

export function handmadeTenant(options: HandmadeOptions): HandmadeTenant {
  return new HandmadeTenant(options);
}
