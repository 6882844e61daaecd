/**
 * Old names that ICU still uses for zones that the IANA database has renamed, by their present names. EventBridge
 * Scheduler uses that database: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
const RENAMED: Record<string, string> = {
  'Africa/Asmera': 'Africa/Asmara',
  'America/Buenos_Aires': 'America/Argentina/Buenos_Aires',
  'America/Catamarca': 'America/Argentina/Catamarca',
  'America/Coral_Harbour': 'America/Atikokan',
  'America/Cordoba': 'America/Argentina/Cordoba',
  'America/Godthab': 'America/Nuuk',
  'America/Indianapolis': 'America/Indiana/Indianapolis',
  'America/Jujuy': 'America/Argentina/Jujuy',
  'America/Louisville': 'America/Kentucky/Louisville',
  'America/Mendoza': 'America/Argentina/Mendoza',
  'Asia/Calcutta': 'Asia/Kolkata',
  'Asia/Katmandu': 'Asia/Kathmandu',
  'Asia/Rangoon': 'Asia/Yangon',
  'Asia/Saigon': 'Asia/Ho_Chi_Minh',
  'Atlantic/Faeroe': 'Atlantic/Faroe',
  'Europe/Kiev': 'Europe/Kyiv',
  'Pacific/Enderbury': 'Pacific/Kanton',
  'Pacific/Ponape': 'Pacific/Pohnpei',
  'Pacific/Truk': 'Pacific/Chuuk',
};

/** The zones that people mean by abbreviations and by the names of Windows. */
const MEANT: Record<string, string> = {
  PST: 'America/Los_Angeles',
  PDT: 'America/Los_Angeles',
  MST: 'America/Denver',
  MDT: 'America/Denver',
  CST: 'America/Chicago',
  CDT: 'America/Chicago',
  EST: 'America/New_York',
  EDT: 'America/New_York',
  GMT: 'Europe/London',
  BST: 'Europe/London',
  WET: 'Europe/Lisbon',
  CET: 'Europe/Berlin',
  CEST: 'Europe/Berlin',
  MET: 'Europe/Berlin',
  EET: 'Europe/Athens',
  EEST: 'Europe/Athens',
  MSK: 'Europe/Moscow',
  IST: 'Asia/Kolkata',
  SGT: 'Asia/Singapore',
  JST: 'Asia/Tokyo',
  AEST: 'Australia/Sydney',
  AEDT: 'Australia/Sydney',
  NZST: 'Pacific/Auckland',
  Z: 'UTC',
  ZULU: 'UTC',
  'GMT STANDARD TIME': 'Europe/London',
  'W. EUROPE STANDARD TIME': 'Europe/Berlin',
  'CENTRAL EUROPE STANDARD TIME': 'Europe/Budapest',
  'CENTRAL EUROPEAN STANDARD TIME': 'Europe/Warsaw',
  'ROMANCE STANDARD TIME': 'Europe/Paris',
  'E. EUROPE STANDARD TIME': 'Europe/Chisinau',
  'FLE STANDARD TIME': 'Europe/Kyiv',
  'GTB STANDARD TIME': 'Europe/Bucharest',
  'EASTERN STANDARD TIME': 'America/New_York',
  'CENTRAL STANDARD TIME': 'America/Chicago',
  'MOUNTAIN STANDARD TIME': 'America/Denver',
  'PACIFIC STANDARD TIME': 'America/Los_Angeles',
  'INDIA STANDARD TIME': 'Asia/Kolkata',
  'TOKYO STANDARD TIME': 'Asia/Tokyo',
  'AUS EASTERN STANDARD TIME': 'Australia/Sydney',
};

/** Zones to propose for an offset, those with more people first. */
const WELL_KNOWN =
  'Europe/London Europe/Berlin Europe/Athens Africa/Johannesburg Europe/Moscow Asia/Tehran Asia/Dubai Asia/Kabul Asia/Karachi Asia/Kolkata Asia/Kathmandu Asia/Dhaka Asia/Yangon Asia/Bangkok Asia/Singapore Asia/Tokyo Australia/Adelaide Australia/Sydney Pacific/Noumea Pacific/Auckland America/Sao_Paulo America/Halifax America/New_York America/Chicago America/Denver America/Los_Angeles America/Anchorage Pacific/Honolulu'.split(
    ' ',
  );

/**
 * The reason why a text is not a time zone for EventBridge Scheduler, with a proposal; undefined if it is one. Valid are the
 * names of places in the IANA database, exactly as they are written there, UTC, and fixed offsets like Etc/GMT+3. Node
 * would accept more: offsets, abbreviations, old names, any case.
 */
export function timeZoneFault(text: string): string | undefined {
  if (text === 'UTC' || text === 'Etc/UTC') return undefined;
  const names = zones();
  if (names.has(text)) return undefined;
  const resolved = resolve(text);
  if (resolved === text && /^Etc\/GMT[+-]\d+$/.test(text)) return undefined;
  const proposed = propose(text, resolved, names);
  const wanted = 'expected a time zone of the IANA database, exactly as it is written there';
  if (proposed.length === 0) return `${wanted}, like Europe/Budapest`;
  return `${wanted}: ${proposed.map((name) => `'${name}'`).join(' or ')}`;
}

function propose(text: string, resolved: string | undefined, names: ReadonlySet<string>): string[] {
  const meant = MEANT[text.trim().toUpperCase()];
  if (meant !== undefined) return [meant];
  const offset = /^(?:UTC|GMT)?\s*([+−-])(\d{1,2})(?::?(\d\d))?$/i.exec(text.trim());
  if (offset) return placesAt(offset);
  if (resolved !== undefined && names.has(today(resolved))) return [today(resolved)];
  if (resolved === 'UTC') return ['UTC'];
  // The text may be the place alone: "Budapest", "New York".
  const spelt = (place: string): string =>
    place
      .trim()
      .toLowerCase()
      .replaceAll(/[\s-]+/g, '_');
  const places = new Set(text.split(/[/,]/).map(spelt));
  return [...names].filter((name) => places.has(name.toLowerCase().split('/').at(-1) ?? '')).slice(0, 2);
}

/** Places whose clocks have this offset from UTC in January or in July. */
function placesAt([, sign, hours = '', minutes = '00']: RegExpExecArray): string[] {
  const offset = `${sign === '+' ? '+' : '-'}${hours.padStart(2, '0')}:${minutes}`;
  if (/^.00:00$/.test(offset)) return ['UTC'];
  const differs = (timeZone: string, month: number): string =>
    new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).format(Date.UTC(2026, month, 1));
  return WELL_KNOWN.filter((zone) => [0, 6].some((month) => differs(zone, month).endsWith(offset))).slice(
    0,
    2,
  );
}

function zones(): Set<string> {
  return new Set(Intl.supportedValuesOf('timeZone').map(today));
}

const today = (name: string): string => RENAMED[name] ?? name;

/**
 * True if this Node knows the time zone, by whatever name. Its list is asked first: the first format of a process takes
 * 12 ms, the list 1.
 */
export function isTimeZone(text: string): boolean {
  return Intl.supportedValuesOf('timeZone').includes(text) || resolve(text) !== undefined;
}

function resolve(timeZone: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}
