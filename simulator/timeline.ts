import { catalogue, type CatalogueEntry } from './catalogue.ts';
import { addDays, DAYS_KEPT, fillStatus, type SimulatedTenant, type TenantReading } from './tenant.ts';
import { textsOf } from './texts.ts';
import { randomOf } from './random.ts';
import { DEFAULT_STATE, percentageOf, round2, VENDOR } from './wire.ts';
import type { WireControlScore, WireProfile, WireSecureScore, WireStateUpdate } from './wire.ts';

/** A control on one day. It is never changed, only replaced. */
export interface ControlState {
  entry: CatalogueEntry;
  name: string;
  category: string;
  maximum: number;
  measure: Measure;
  /** True if a person's decision gives all the points, whatever is measured. */
  granted: boolean;
  /** The state in a Device control: "default", or an exception that was made in Defender. */
  state: string;
  /** Day of its last change, which its source cannot have been synced before. */
  touched: number;
}

/** On or off, or `count` of `total` that are as they should be. */
export type Measure = { on: boolean } | { count: number; total: number };

export interface ProfileState {
  entry: CatalogueEntry;
  id: string;
  category: string;
  maximum: number;
  deprecated: boolean;
  updates: WireStateUpdate[];
}

/** A tenant on one day: what events change. */
export interface TenantState {
  /** The controls belong to the day, so events change them in place. */
  controls: Map<string, ControlState>;
  /** The profiles are shared by days, so events replace them. */
  profiles: ReadonlyMap<string, ProfileState>;
  services: string[];
}

/**
 * Something that happens to a tenant. Days are numbers; two of them matter: the day whose snapshot it changes first,
 * and the day from which Graph serves it so (a later one restates what was served before).
 */
export interface TimelineEvent {
  day: number;
  /** The last day whose snapshot it changes; if absent, it never ends. */
  through?: number;
  /** The first day on which Graph serves it; `day` if absent. */
  knownFrom?: number;
  apply(state: TenantState, moment: { day: number; date: string }): void;
}

export interface Timeline {
  /** The state before day 1. It is never changed. */
  base: TenantState;
  events: readonly TimelineEvent[];
  /** The day on which a day's snapshot is published: the same day if it is not listed, `Infinity` for never. */
  published?: ReadonlyMap<number, number>;
}

export interface TimelineOptions {
  tenantId: string;
  seed: string;
  /** yyyy-mm-dd of day `day`. */
  today: string;
  day: number;
}

/** A tenant whose days follow from a state and events. It stores only the number of its day. */
export class TimelineTenant implements SimulatedTenant {
  readonly tenantId: string;
  readonly #seed: string;
  /** Date of day 0. */
  readonly #origin: string;
  readonly #timeline: () => Timeline;
  #day: number;

  /** @param timeline called once per answer, so that it may build the timeline again each time and store none */
  constructor(options: TimelineOptions, timeline: () => Timeline) {
    this.tenantId = options.tenantId.toLowerCase();
    this.#seed = options.seed;
    this.#day = options.day;
    this.#origin = addDays(options.today, -options.day);
    this.#timeline = timeline;
  }

  get today(): string {
    return this.dateOf(this.#day);
  }

  /** The number of today. */
  get day(): number {
    return this.#day;
  }

  dateOf(day: number): string {
    return addDays(this.#origin, day);
  }

  dayOf(date: string): number {
    return Math.round((Date.parse(date) - Date.parse(this.#origin)) / 86_400_000);
  }

  advance(days: number): void {
    this.#day += days;
  }

  read(): TenantReading {
    const timeline = this.#timeline();
    const asOf = this.#day;
    const dates: string[] = [];
    for (let day = asOf; day > Math.max(0, asOf - DAYS_KEPT); day -= 1) {
      if ((timeline.published?.get(day) ?? day) <= asOf) dates.push(this.dateOf(day));
    }
    const states = this.#statesUntil(timeline, asOf);
    const stateOn = (day: number): TenantState => {
      const state = states[day];
      if (!state) throw new RangeError(`There is no day ${day}`);
      return state;
    };
    // Most controls are the same on most days, so the texts of each are made only once.
    const older = new Map<ControlState, WireControlScore>();
    let profiles: WireProfile[] | undefined;
    return {
      dates,
      secureScore: (date, complete) => {
        const day = this.dayOf(date);
        return this.#secureScore(stateOn(day), { day, asOf }, complete ? null : older);
      },
      profiles: () => (profiles ??= this.#profiles(stateOn(asOf))),
    };
  }

  /** The states of day 0 to day `asOf`, as they are known on the last of them. */
  #statesUntil({ base, events }: Timeline, asOf: number): TenantState[] {
    const known = events.filter((event) => (event.knownFrom ?? event.day) <= asOf);
    const lasting = Map.groupBy(
      known.filter(({ through }) => through === undefined),
      ({ day }) => day,
    );
    const passing = known.filter(({ through }) => through !== undefined);
    const states: TenantState[] = [];
    let state = base;
    for (let day = 0; day <= asOf; day += 1) {
      state = this.#after(state, lasting.get(day) ?? []);
      states.push(
        this.#after(
          state,
          passing.filter((event) => event.day <= day && day <= (event.through ?? day)),
        ),
      );
    }
    return states;
  }

  #after(state: TenantState, events: TimelineEvent[]): TenantState {
    if (events.length === 0) return state;
    const next = { ...state, controls: new Map(state.controls) };
    for (const event of events) event.apply(next, { day: event.day, date: this.dateOf(event.day) });
    return next;
  }

  #secureScore(
    state: TenantState,
    { day, asOf }: { day: number; asOf: number },
    older: Map<ControlState, WireControlScore> | null,
  ): WireSecureScore {
    const date = this.dateOf(day);
    const random = randomOf(`${this.#seed} on day ${day}`);
    const controls = [...state.controls.values()];
    const dates = new Map<number, string>();
    const dateOf = (number: number): string => {
      const known = dates.get(number) ?? this.dateOf(number);
      dates.set(number, known);
      return known;
    };
    return {
      id: `${this.tenantId}_${date}`,
      azureTenantId: this.tenantId,
      activeUserCount: 171 + random.integer(0, 18),
      createdDateTime: `${date}T00:00:00Z`,
      currentScore: round2(controls.reduce((sum, control) => sum + pointsOf(control), 0)),
      enabledServices: state.services,
      licensedUserCount: 0,
      maxScore: controls.reduce((sum, control) => sum + control.maximum, 0),
      vendorInformation: VENDOR,
      averageComparativeScores: [
        { basis: 'AllTenants', ...averages(random, day) },
        {
          basis: 'TotalSeats',
          ...averages(random, day),
          SeatSizeRangeLowerValue: '101',
          SeatSizeRangeUpperValue: '300',
        },
      ],
      controlScores: controls.map((control) => {
        if (!older) return controlScore(control, dateOf(syncedOn(control, day, asOf)));
        const known = older.get(control) ?? controlScore(control, null);
        older.set(control, known);
        return known;
      }),
    };
  }

  #profiles(state: TenantState): WireProfile[] {
    return [...state.profiles.values()].map(({ entry, ...profile }) => {
      const texts = textsOf(entry);
      return {
        id: profile.id,
        azureTenantId: this.tenantId,
        actionType: 'Config',
        actionUrl: entry.url.replace('{tenant}', this.tenantId),
        controlCategory: profile.category,
        title: entry.title,
        deprecated: profile.deprecated,
        implementationCost: entry.cost,
        lastModifiedDateTime: null,
        maxScore: profile.maximum,
        rank: entry.rank,
        remediation: texts.remediation,
        remediationImpact: texts.remediationImpact,
        service: entry.service,
        threats: entry.threats,
        tier: entry.tier,
        userImpact: entry.impact,
        vendorInformation: VENDOR,
        complianceInformation: [],
        controlStateUpdates: profile.updates,
      };
    });
  }
}

/** @param synced date of its source's last sync, null where the entry is not the newest */
function controlScore(control: ControlState, synced: string | null): WireControlScore {
  const complete = synced !== null;
  const { measure, entry } = control;
  const texts = textsOf(entry);
  const shared = 'total' in measure;
  const values: Record<string, string | number> = shared
    ? {
        count: measure.count,
        total: measure.total,
        failing: measure.total - measure.count,
        percent: Math.round((100 * measure.count) / measure.total),
        exposed: measure.total - measure.count,
        devices: measure.total,
      }
    : { state: measure.on ? 'On' : 'Off', count: measure.on ? 3 : 1 };
  const isDevice = control.category === 'Device';
  const counted = entry.counts || shared;
  const points = pointsOf(control);
  // The words of a template about a switch stay in older entries.
  const status = texts.status.replace('{place}', shared ? '' : String(measure.on));
  return {
    controlCategory: control.category,
    controlName: control.name,
    description: complete ? texts.description : null,
    score: points,
    ...(complete ? { lastSynced: `${synced}T${syncTime(entry.service)}` } : {}),
    implementationStatus: fillStatus(status, complete ? values : null),
    ...(complete && counted ? { count: String(isDevice ? values['exposed'] : values['count']) } : {}),
    ...(complete && shared ? { total: String(measure.total) } : {}),
    ...(complete && !counted
      ? { on: values['state'] === 'On' ? ('true' as const) : ('false' as const) }
      : {}),
    ...(complete && isDevice ? { state: control.state } : {}),
    scoreInPercentage: percentageOf(points, control.maximum),
  };
}

/** In points, rounded to 2 decimals as Graph does. */
export function pointsOf({ granted, maximum, measure }: ControlState): number {
  if (granted) return maximum;
  if ('total' in measure) return round2((maximum * measure.count) / measure.total);
  return measure.on ? maximum : 0;
}

/**
 * Entra is read once a week, Teams once a month, everything else every day: devices in the afternoon, so that the
 * snapshot of a day, which is asked for in its morning, has them as of the day before.
 */
function syncedOn({ entry, category, touched }: ControlState, day: number, asOf: number): number {
  if (category === 'Device') return Math.min(day, Math.max(touched, asOf > day ? day : day - 1));
  if (entry.service === 'AzureAD') return Math.min(day, Math.max(touched, day - ((day + 4) % 7)));
  if (entry.service === 'MS Teams') return Math.min(day, Math.max(touched, day - ((day + 11) % 30)));
  return day;
}

function syncTime(service: string): string {
  if (service === 'AzureAD') return '01:07:39Z';
  if (service === 'MS Teams') return '17:12:14Z';
  if (service === 'MCAS' || service.startsWith('MDA_')) return '04:34:13Z';
  if (service === 'MDATP' || service === 'Intune') return '15:21:09Z';
  return service === 'Azure ATP' ? '14:59:53Z' : '13:58:47Z';
}

/** The averages of other tenants, which move a little every day. */
function averages(random: ReturnType<typeof randomOf>, day: number): Record<string, number> {
  const near = (value: number): number => round2(value + day * 0.01 + random.next());
  return {
    averageScore: near(46),
    appsScore: near(122),
    appsScoreMax: near(310),
    dataScore: near(7),
    dataScoreMax: near(21),
    deviceScore: near(131),
    deviceScoreMax: near(322),
    identityScore: near(61),
    identityScoreMax: near(124),
    infrastructureScore: 0,
    infrastructureScoreMax: 0,
  };
}

export interface BaseOptions {
  seed: string;
  /** Recommendations in the profiles. */
  profiles: number;
  /** Which of them stand in the tenant's score on day 0. */
  applies: (entry: CatalogueEntry) => boolean;
  services: string[];
  users: number;
  admins: number;
  devices: number;
  /** The probability, 0 to 1, that a switch is on or a share complete. */
  done: number;
}

/** A tenant's state before day 1, drawn from a seed. */
export function baseState(options: BaseOptions): TenantState {
  const entries = catalogue(options.profiles);
  const controls = new Map<string, ControlState>();
  const profiles = new Map<string, ProfileState>();
  for (const entry of entries) {
    const { id, category, maximum } = entry;
    profiles.set(id, { entry, id, category, maximum, deprecated: false, updates: [DEFAULT_STATE] });
    if (options.applies(entry)) controls.set(id, newControl(entry, drawMeasure(entry, options), 0));
  }
  return { controls, profiles, services: options.services };
}

export function newControl(entry: CatalogueEntry, measure: Measure, touched: number): ControlState {
  const { id: name, category, maximum } = entry;
  return { entry, name, category, maximum, measure, granted: false, state: 'default', touched };
}

function drawMeasure(entry: CatalogueEntry, options: BaseOptions): Measure {
  const { seed, users, admins, devices, done } = options;
  const random = randomOf(`${seed}/${entry.id}`);
  const good = random.next() < done;
  if (!entry.of) return { on: good };
  const total = { users, mailboxes: users, admins, devices }[entry.of];
  // Most shares are complete or nearly so; the rest are somewhere in between.
  if (good)
    return { count: total - (random.next() < 0.35 ? 0 : random.integer(1, Math.ceil(total / 12))), total };
  return {
    count: random.next() < 0.5 ? 0 : random.integer(Math.ceil(total / 5), Math.ceil(total / 1.6)),
    total,
  };
}
