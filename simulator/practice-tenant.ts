import { catalogue, type CatalogueEntry } from './catalogue.ts';
import * as change from './changes.ts';
import { randomOf } from './random.ts';
import { baseState, pointsOf, TimelineTenant } from './timeline.ts';
import type { ControlState, Measure, Timeline, TimelineEvent } from './timeline.ts';

const PRACTICE_TENANT_ID = '5ec0e5c0-4e00-4b1d-9a7e-0c0ffee00d01';

/** Profiles of the practice tenant: three pages. */
const PROFILES = 410;

export type ScriptKind =
  | 'lost'
  | 'gained'
  | 'drift'
  | 'new'
  | 'removed'
  | 'renamed'
  | 're-scored'
  | 'decided'
  | 'category'
  | 'services'
  | 'restated'
  | 'stale'
  | 'suspect';

/** One line of the script. Days are numbered 1 to 100; the practice starts on day 90. */
export interface ScriptEvent {
  day: number;
  kind: ScriptKind;
  /** Its name from that day on; null where it is about the tenant or about many. */
  control: string | null;
  description: string;
}

type ScriptLine = ScriptEvent & Omit<TimelineEvent, 'day'>;

export interface PracticeOptions {
  tenantId?: string;
  seed?: string;
  /** yyyy-mm-dd of day `day`. */
  today: string;
  /** 90 where absent. */
  day?: number;
}

export interface PracticeTenant extends TimelineTenant {
  readonly events: readonly ScriptEvent[];
}

/**
 * A believable tenant with about 230 controls, in whose 100 days everything happens that can happen to a Secure Score.
 * Days 1 to 90 are the past that a first run finds, days 91 to 100 are there to be watched. After day 100 it is quiet.
 */
export function practiceTenant(options: PracticeOptions): PracticeTenant {
  const { tenantId = PRACTICE_TENANT_ID, seed = 'practice', today, day = 90 } = options;
  const base = baseState({
    seed,
    profiles: PROFILES,
    applies: (entry) => !isLater(entry) && isInUse(entry),
    services: SERVICES_FIRST,
    users: 187,
    admins: 6,
    devices: 164,
    done: 0.6,
  });
  const script = [...scriptOf(), ...everydayEvents(seed, base.controls.values())].toSorted(
    (a, b) => a.day - b.day,
  );
  // The script says where its controls stand before it begins, whatever the seed drew.
  const start: TimelineEvent = {
    day: 0,
    apply: change.all(...STARTS.map(([name, on]) => change.turned(name, on))),
  };
  const timeline: Timeline = { base, events: [start, ...script], published: PUBLISHED };
  const tenant = new TimelineTenant({ tenantId, seed, today, day }, () => timeline);
  const events = script.map(({ day: on, kind, control, description }) => ({
    day: on,
    kind,
    control,
    description,
  }));
  return Object.assign(tenant, { events });
}

const SERVICES_FIRST = [
  'HasAADP2',
  'HasEXOP2',
  'HasSPOP2',
  'HasMDOP2',
  'HasOCAS',
  'HasINTUNE',
  'HasATP',
  'HasMDEP1',
  'HasMDB',
  'HasDLP',
];
const SERVICES_CLOUD_APPS = [...SERVICES_FIRST, 'HasMCAS', 'HasCLB'];
const SERVICES_ENDPOINT = SERVICES_CLOUD_APPS.map((service) =>
  service === 'HasMDEP1' ? 'HasMDEP2' : service,
);

/** Days 41 to 44 were not published in time: two of them late, two never. */
const PUBLISHED: ReadonlyMap<number, number> = new Map([
  [41, 46],
  [42, 46],
  [43, Infinity],
  [44, Infinity],
]);

const byId = new Map(catalogue(PROFILES).map((entry) => [entry.id, entry]));

function entryOf(id: string): CatalogueEntry {
  const entry = byId.get(id);
  if (!entry) throw new RangeError(`There is no recommendation ${id}`);
  return entry;
}

/** What comes with Defender for Cloud Apps on day 30. */
const CLOUD_APPS = [...byId.values()]
  .filter(({ service }) => ['MCAS', 'AppG', 'MDA_GitHub'].includes(service))
  .map(({ id }) => id);
/** What comes with Defender for Endpoint Plan 2 on day 100. */
const ENDPOINT_NEW = [
  'scid_2004',
  'scid_2507',
  'scid_2508',
  'scid_2509',
  'scid_2510',
  'scid_2511',
  'scid_2514',
  'scid_2515',
  'scid_2021',
];
/** … and what goes with Plan 1. */
const ENDPOINT_OLD = ['scid_2091', 'scid_2093', 'scid_51', 'scid_58'];
/** What Microsoft releases on its own. */
const RELEASED = [
  'mdo_spam_notifications_only_for_admins',
  'teams_external_file_sharing',
  'mip_endpoint_dlp',
  'scid_93',
  'spo_link_expiration',
];

const LATER = new Set([...CLOUD_APPS, ...ENDPOINT_NEW, ...RELEASED]);
const isLater = ({ id }: CatalogueEntry): boolean => LATER.has(id);
const isInUse = ({ service }: CatalogueEntry): boolean =>
  !service.startsWith('MDA_') || ['MDA_Atlassian', 'MDA_Google', 'MDA_Zoom'].includes(service);

const GOOGLE = 'MDA_Google_EnableTwoFactorAuth';
const GOOGLE_RENAMED = `11770.${GOOGLE}`;
const ZOOM = 'MDA_Zoom_EnableTwoFactorAuth';
const ZOOM_RENAMED = `20892.${ZOOM}`;
const ADMIN = 'ada.admin@contoso.example';
const SECURITY = 'sam.security@contoso.example';

/** Where the controls of the script stand on day 0. */
const STARTS: [name: string, on: boolean][] = [
  ['AdminMFAV2', true],
  ['MFARegistrationV2', false],
  ['BlockLegacyAuthentication', false],
  ['PWAgePolicyNew', true],
  ['aad_admin_consent_workflow', false],
  ['aad_phishing_MFA_strength', false],
  ['aad_third_party_apps', false],
  ['exo_mailtipsenabled', true],
  ['exo_outlookaddins', true],
  ['mdo_safelinksforemail', true],
  ['mdo_zapspam', true],
  ['mdo_atpprotection', false],
  ['mdo_safedocuments', false],
  ['mdo_commonattachmentsfilter', true],
  ['mdo_blockmailforward', true],
  ['spo_legacy_auth', true],
  ['spo_external_sharing_managed', false],
  ['spo_idle_session_timeout', false],
  ['meeting_restrictanonymousstart_v1', false],
  ['dlp_datalossprevention', false],
  ['scid_2003', true],
  ['scid_2012', true],
  ['scid_2016', true],
  ['scid_30', false],
  ['scid_2073', false],
  ['scid_2090', false],
  ['intune_mobile_device_encryption', false],
  ['AATP_PrintSpooler', false],
  ['AATP_ClearText', false],
  [GOOGLE, false],
  [ZOOM, true],
];

function scriptOf(): ScriptLine[] {
  const line = (
    day: number,
    kind: ScriptKind,
    control: string | null,
    description: string,
    apply: TimelineEvent['apply'],
    extra: Pick<TimelineEvent, 'through' | 'knownFrom'> = {},
  ): ScriptLine => ({ day, kind, control, description, apply, ...extra });
  const add = (day: number, id: string, measure: Measure, description: string): ScriptLine =>
    line(day, 'new', id, description, change.added(entryOf(id), measure));
  const nothing: TimelineEvent['apply'] = () => undefined;

  return [
    // The past
    line(
      4,
      'lost',
      'exo_outlookaddins',
      'somebody lets users install Outlook add-ins',
      change.turned('exo_outlookaddins', false),
    ),
    line(
      9,
      'gained',
      'dlp_datalossprevention',
      'the first DLP policy is on',
      change.turned('dlp_datalossprevention', true),
    ),
    line(
      13,
      'drift',
      null,
      'three people join, all of them well set up',
      change.joined(['users', 'mailboxes'], 3, 3),
    ),
    line(
      16,
      'gained',
      'scid_2073',
      'the firewall of the public profile reaches all devices',
      change.turned('scid_2073', true),
    ),
    add(19, 'scid_93', { count: 0, total: 164 }, 'Microsoft asks for one more setting of SMB'),
    line(
      22,
      'removed',
      'scid_84',
      'Microsoft retires a recommendation',
      change.removed('scid_84', { retired: true }),
    ),
    line(
      25,
      'renamed',
      ZOOM_RENAMED,
      'the connected Zoom gets an instance prefix',
      change.renamed(ZOOM, ZOOM_RENAMED),
    ),
    line(30, 'services', null, 'Defender for Cloud Apps is licensed', change.licensed(SERVICES_CLOUD_APPS)),
    ...CLOUD_APPS.map((id, index) =>
      add(30, id, { on: index % 3 === 0 }, 'comes with Defender for Cloud Apps'),
    ),
    line(
      33,
      're-scored',
      'aad_phishing_MFA_strength',
      'phishing-resistant MFA is worth 9 instead of 7',
      change.rescored('aad_phishing_MFA_strength', 9),
    ),
    line(
      37,
      'gained',
      'aad_phishing_MFA_strength',
      'administrators have passkeys now',
      change.turned('aad_phishing_MFA_strength', true),
    ),
    line(41, 'stale', null, 'no snapshot for four days: two come late (on day 46), two never', nothing),
    line(
      45,
      'gained',
      'intune_mobile_device_encryption',
      'a policy encrypts mobile devices',
      change.turned('intune_mobile_device_encryption', true),
    ),
    ...[...byId.keys()]
      .filter((id) => id.startsWith('aad_'))
      .map((id) =>
        line(50, 'category', id, 'Microsoft moves it from Apps to Identity', change.moved(id, 'Identity')),
      ),
    line(
      53,
      'decided',
      'AATP_ClearText',
      'the risk is accepted',
      change.decided('AATP_ClearText', {
        state: 'Ignored',
        by: SECURITY,
        comment: 'The one legacy printer is on its own network.',
      }),
    ),
    line(
      56,
      'decided',
      'AATP_PrintSpooler',
      'a third party is said to cover it',
      change.decided('AATP_PrintSpooler', {
        state: 'ThirdParty',
        by: ADMIN,
        comment: 'Covered by the print appliance',
      }),
    ),
    line(
      57,
      'gained',
      'AATP_PrintSpooler',
      '… and the points follow a day later',
      change.granted('AATP_PrintSpooler', true),
    ),
    line(
      61,
      'lost',
      'scid_2012',
      'real-time protection is off on a third of the devices',
      change.counted('scid_2012', 109),
    ),
    line(63, 'gained', 'scid_2012', '… and on again', change.turned('scid_2012', true)),
    line(
      68,
      'decided',
      'AATP_PrintSpooler',
      'the decision is taken back',
      change.decided('AATP_PrintSpooler', { state: 'Default', by: SECURITY, comment: null }),
    ),
    line(
      69,
      'lost',
      'AATP_PrintSpooler',
      '… and the points go with it',
      change.granted('AATP_PrintSpooler', false),
    ),
    line(
      72,
      'restated',
      'mdo_zapspam',
      'from day 73 on, day 72 is served with fewer points',
      change.counted('mdo_zapspam', 152, 190),
      { knownFrom: 73 },
    ),
    line(76, 'gained', 'scid_2090', 'BitLocker is rolled out', change.counted('scid_2090', 118)),
    line(
      79,
      'drift',
      null,
      'five people join, all of them well set up',
      change.joined(['users', 'mailboxes'], 5, 5),
    ),
    line(84, 'gained', 'scid_2090', 'BitLocker reaches nearly all devices', change.counted('scid_2090', 156)),
    line(
      88,
      'gained',
      'spo_external_sharing_managed',
      'sharing with outsiders is limited',
      change.turned('spo_external_sharing_managed', true),
    ),

    // The days to be watched
    line(
      91,
      'lost',
      'mdo_safelinksforemail',
      'a new policy leaves 23 mailboxes without Safe Links',
      change.counted('mdo_safelinksforemail', 172),
    ),
    line(
      91,
      'lost',
      'PWAgePolicyNew',
      'somebody lets passwords expire again',
      change.turned('PWAgePolicyNew', false),
    ),
    line(
      92,
      'gained',
      'BlockLegacyAuthentication',
      'legacy authentication is blocked for nearly everybody',
      change.counted('BlockLegacyAuthentication', 189),
    ),
    line(
      92,
      'gained',
      'aad_admin_consent_workflow',
      'the admin consent workflow is on',
      change.turned('aad_admin_consent_workflow', true),
    ),
    line(91, 'lost', 'AdminMFAV2', 'a new administrator has no MFA', change.counted('AdminMFAV2', 5)),
    // Day 93 is quiet.
    add(94, 'mip_endpoint_dlp', { count: 0, total: 164 }, 'Microsoft asks for endpoint data loss prevention'),
    add(
      94,
      'teams_external_file_sharing',
      { on: true },
      'Microsoft asks for a limit on file sharing in Teams, which is on',
    ),
    line(
      94,
      'removed',
      'exo_mailtipsenabled',
      'Microsoft retires a recommendation that was fulfilled',
      change.removed('exo_mailtipsenabled', { retired: true }),
    ),
    line(94, 'drift', null, 'four people join, all of them well set up', change.joined(['users'], 4, 4)),
    line(95, 'suspect', null, 'for one day three of five controls are missing', change.mostGone, {
      through: 95,
    }),
    line(
      96,
      'renamed',
      GOOGLE_RENAMED,
      'the connected Google Workspace gets an instance prefix',
      change.renamed(GOOGLE, GOOGLE_RENAMED),
    ),
    line(
      96,
      'gained',
      'mdo_safelinksforemail',
      'the policy of day 91 is repaired',
      change.turned('mdo_safelinksforemail', true),
    ),
    line(
      97,
      'decided',
      'aad_third_party_apps',
      'a third party is said to cover it',
      change.decided('aad_third_party_apps', {
        state: 'ThirdParty',
        by: ADMIN,
        comment: 'Our app gateway reviews every integration',
      }),
    ),
    line(
      97,
      'gained',
      'aad_third_party_apps',
      '… and it gets its points at once',
      change.granted('aad_third_party_apps', true),
    ),
    line(
      97,
      'decided',
      'spo_idle_session_timeout',
      'the risk is accepted, which gives no points',
      change.decided('spo_idle_session_timeout', {
        state: 'Ignored',
        by: SECURITY,
        comment: 'Kiosk devices only',
      }),
    ),
    line(
      98,
      're-scored',
      'scid_2003',
      'tamper protection is worth 10 instead of 9',
      change.rescored('scid_2003', 10),
    ),
    line(
      98,
      're-scored',
      'mdo_atpprotection',
      'safe attachments for SharePoint are worth 8 instead of 5, and not on',
      change.rescored('mdo_atpprotection', 8),
    ),
    line(
      98,
      'restated',
      'scid_2016',
      'in the afternoon 37 devices turn out to lack cloud protection: from day 99 on, day 98 is served with fewer points',
      change.counted('scid_2016', 127),
      { knownFrom: 99 },
    ),
    line(
      99,
      'decided',
      'scid_30',
      'an exception is made in Defender: a third party covers it, and all devices stay exposed',
      change.excepted('scid_30', { state: 'thirdParty', granted: true }),
    ),
    line(99, 'gained', 'scid_30', '… and it gets its points at once', () => undefined),
    line(
      99,
      'gained',
      'meeting_restrictanonymousstart_v1',
      'anonymous users can no longer start meetings',
      change.turned('meeting_restrictanonymousstart_v1', true),
    ),
    line(
      100,
      'services',
      null,
      'Defender for Endpoint Plan 2 takes the place of Plan 1',
      change.licensed(SERVICES_ENDPOINT),
    ),
    ...ENDPOINT_NEW.map((id, index) =>
      add(100, id, { count: [0, 41, 164][index % 3] ?? 0, total: 164 }, 'comes with Plan 2'),
    ),
    ...ENDPOINT_OLD.map((id) => line(100, 'removed', id, 'goes with Plan 1', change.removed(id))),
  ];
}

/** The small ups and downs of a year, drawn from the seed, on controls that the script leaves alone, until day 88. */
function everydayEvents(seed: string, controls: Iterable<ControlState>): ScriptLine[] {
  const random = randomOf(`${seed} every day`);
  const scripted = new Set([...STARTS.map(([name]) => name), ...ENDPOINT_OLD, 'scid_84']);
  const free = [...controls].filter(({ name }) => !scripted.has(name) && !name.startsWith('aad_'));
  const lines: ScriptLine[] = [];
  for (let day = 2; day <= 88; day += 1) {
    if (random.next() > 0.45) continue;
    const up = random.next() < 0.7;
    const candidates = free.filter((control) => pointsOf(control) !== (up ? control.maximum : 0));
    const control = random.pick(candidates);
    // Each is drawn once, so that it still stands where it began.
    free.splice(free.indexOf(control), 1);
    lines.push({
      day,
      kind: up ? 'gained' : 'lost',
      control: control.name,
      description: up ? 'somebody puts it right' : 'somebody undoes it',
      apply: change.turned(control.name, up),
    });
  }
  return lines;
}
