import type { CatalogueEntry } from './catalogue.ts';
import {
  newControl,
  type ControlState,
  type Measure,
  type ProfileState,
  type TenantState,
  type TimelineEvent,
} from './timeline.ts';

/** The changes that can happen to a tenant, from which events are composed. Each throws if it cannot happen. */
type Change = TimelineEvent['apply'];

export const all =
  (...changes: Change[]): Change =>
  (state, moment) => {
    for (const change of changes) change(state, moment);
  };

/** Switches the control, or sets its share to all or none. */
export const turned = (name: string, on: boolean): Change =>
  measured(name, (measure) => ('total' in measure ? { ...measure, count: on ? measure.total : 0 } : { on }));

/** Sets the number of those who are as they should be, and their total if it changes too. */
export const counted = (name: string, count: number, total?: number): Change =>
  measured(name, (measure) => {
    const members = total ?? ('total' in measure ? measure.total : undefined);
    if (members === undefined || count > members)
      throw new RangeError(`${name} cannot count ${count} of ${members}`);
    return { count, total: members };
  });

/** People join: what counts them counts `joining` more, of whom `covered` are as they should be. */
export const joined =
  (of: ('users' | 'mailboxes')[], joining: number, covered: number): Change =>
  (state, moment) => {
    for (const [name, { measure, entry }] of state.controls) {
      if (!('total' in measure) || !of.some((counts) => counts === entry.of)) continue;
      // Where all or none are covered, the new ones are (or are not) as well: no score moves.
      const more = measure.count === measure.total ? joining : measure.count === 0 ? 0 : covered;
      counted(name, measure.count + more, measure.total + joining)(state, moment);
    }
  };

function measured(name: string, change: (measure: Measure) => Measure): Change {
  return (state, { day }) => {
    const control = controlOf(state, name);
    state.controls.set(name, { ...control, measure: change(control.measure), touched: day });
  };
}

/** Microsoft asks the tenant for one more recommendation. */
export const added =
  (entry: CatalogueEntry, measure: Measure): Change =>
  (state, { day }) => {
    if (state.controls.has(entry.id)) throw new RangeError(`${entry.id} is there already`);
    state.controls.set(entry.id, newControl(entry, measure, day));
  };

/** Microsoft no longer asks the tenant for it. The catalogue still has it, as deprecated where it was retired. */
export const removed =
  (name: string, options: { retired?: boolean } = {}): Change =>
  (state) => {
    controlOf(state, name);
    state.controls.delete(name);
    if (options.retired) setProfile(state, name, { ...profileOf(state, name), deprecated: true });
  };

/** The same recommendation under another id, in its old place. */
export const renamed =
  (from: string, to: string): Change =>
  (state) => {
    state.controls = replaceKey(state.controls, from, to, { ...controlOf(state, from), name: to });
    state.profiles = replaceKey(state.profiles, from, to, { ...profileOf(state, from), id: to });
  };

export const rescored =
  (name: string, maximum: number): Change =>
  (state) => {
    state.controls.set(name, { ...controlOf(state, name), maximum });
    setProfile(state, name, { ...profileOf(state, name), maximum });
  };

export const moved =
  (name: string, category: string): Change =>
  (state) => {
    state.controls.set(name, { ...controlOf(state, name), category });
    setProfile(state, name, { ...profileOf(state, name), category });
  };

/** A person sets a state in the portal. `Default` takes back what was set before. */
export const decided =
  (name: string, decision: { state: string; by: string; comment: string | null }): Change =>
  (state, { date }) => {
    const profile = profileOf(state, name);
    const update = {
      assignedTo: null,
      comment: decision.comment,
      state: decision.state,
      updatedBy: decision.by,
      updatedDateTime: `${date}T09:24:51Z`,
    };
    setProfile(state, name, { ...profile, updates: [...profile.updates, update] });
  };

/** Sets whether a decision gives all the points. */
export const granted =
  (name: string, yes: boolean): Change =>
  (state, { day }) => {
    state.controls.set(name, { ...controlOf(state, name), granted: yes, touched: day });
  };

/** An exception is made in Defender, which shows in the control itself and never in its profile. */
export const excepted =
  (name: string, exception: { state: string; granted: boolean }): Change =>
  (state, { day }) => {
    const control = controlOf(state, name);
    if (control.category !== 'Device') throw new RangeError(`${name} is no Device control`);
    state.controls.set(name, { ...control, ...exception, touched: day });
  };

export const licensed =
  (services: string[]): Change =>
  (state) => {
    state.services = services;
  };

/** Three of five controls are missing, as when a source did not answer. */
export const mostGone: Change = (state) => {
  state.controls = new Map([...state.controls].filter((_, index) => index % 5 < 2));
};

/** Few events touch a profile: its map is shared by the days between them, and never changed in place. */
function setProfile(state: TenantState, id: string, profile: ProfileState): void {
  state.profiles = new Map(state.profiles).set(id, profile);
}

function controlOf(state: TenantState, name: string): ControlState {
  const control = state.controls.get(name);
  if (!control) throw new RangeError(`There is no control ${name}`);
  return control;
}

function profileOf(state: TenantState, id: string): ProfileState {
  const profile = state.profiles.get(id);
  if (!profile) throw new RangeError(`There is no profile ${id}`);
  return profile;
}

function replaceKey<T>(map: ReadonlyMap<string, T>, from: string, to: string, value: T): Map<string, T> {
  return new Map([...map].map(([key, old]) => (key === from ? [to, value] : [key, old])));
}
