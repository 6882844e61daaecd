import { styleText } from 'node:util';
import { FIRST_PARTS, pageContents, type Shown, type Source } from '../../history/page/contents.ts';
import { Catalogue } from '../../history/page/data.ts';
import type { Member } from '../../history/page/fleet-data.ts';
import { readCatalogue, readHistories, readTenants } from '../../history/page/rows.ts';
import { pageScript } from '../../history/page/script.ts';
import type { HistoryEngine } from '../../history/answer.ts';
import { machineClock } from '../../lambda/clock.ts';
import { commandLine } from '../../lambda/command-line.ts';
import type { Config } from '../../lambda/config.ts';
import { dateOf } from '../../lambda/dates.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import { count, day } from '../../lambda/report/format.ts';
import { isMuted } from '../../lambda/score/muted.ts';
import { bytes } from '../shared/bytes.ts';
import type { Command } from '../shared/command.ts';
import { text } from '../shared/options.ts';
import { progressLine } from '../shared/progress-line.ts';
import { openInBrowser } from './browser.ts';
import { configOf } from '../shared/archive-place.ts';
import { engineOf } from './engine.ts';
import { namesOf, some, tenantOf } from './names.ts';
import { HISTORY_OPTIONS, QUESTION_OPTIONS, type HistoryFlags } from './options.ts';
import { checkOut, writePage } from './page-files.ts';
import type { Names } from './present.ts';

/**
 * The default file is in the current folder, because browsers in a sandbox (snap, flatpak) can read neither /tmp nor
 * hidden folders.
 */
const DEFAULT_OUT = 'secure-score-history.html';

interface OpenFlags extends HistoryFlags {
  tenant?: string;
  out: string;
  browser: boolean;
}

const { format: _, json: __, ...WHERE } = HISTORY_OPTIONS;

/** `secure-score history open`: the history as a page. */
export const open: Command<OpenFlags> = {
  flags: (yargs) =>
    yargs
      .usage(
        '$0 history open\n\nWrites the history as a page: one self-contained HTML file, which of several tenants begins with all of them. More than 10 MB become a folder.',
      )
      .options({ tenant: QUESTION_OPTIONS.tenant, ...WHERE })
      .option('out', {
        ...text('out'),
        default: DEFAULT_OUT,
        describe: 'File to write; a folder of that name where it would be larger than 10 MB',
      })
      .option('browser', {
        type: 'boolean',
        default: true,
        describe: 'Open it if this is a terminal; --no-browser only writes it',
      })
      .conflicts('archive', ['deployed', 'stack'])
      // Of `history`: yargs shows it here as well.
      .hide('format'),
  examples: [
    ['history open --tenant Contoso', "that tenant's data alone"],
    ['history open --deployed --out score.html --no-browser', 'for others to read'],
  ],
  act,
};

async function act(flags: OpenFlags): Promise<number> {
  const config = await configOf(flags);
  const names = await namesOf(flags, config);
  const wanted = flags.tenant === undefined ? null : tenantOf(flags.tenant, names);
  await checkOut(flags.out);
  const { engine, conclude } = await engineOf(flags, config, wanted);
  const known = wanted === null ? await readTenants(engine) : new Map([[wanted, 0]]);
  const members = membersOf(known, names, config);
  if (members.length === 0) throw nothing(flags.tenant, engine.location);
  const contents = await pageContents({
    ...(await sourceOf(engine, known, members, config)),
    onTenant: progressOf(members.filter(({ id }) => known.has(id)).length),
  });
  if (contents.tenants.length === 0) throw nothing(flags.tenant, engine.location);
  const written = await writePage(flags.out, { ...contents, script: pageScript() }, FIRST_PARTS);

  const opened = flags.browser && process.stdout.isTTY && (await openInBrowser(written.page));
  const { total, page } = written.bytes;
  const shown = new Set(members.map(({ id }) => id));
  const left = [...known.keys()].filter((id) => !shown.has(id));
  const size = total === page ? bytes(total) : `${bytes(total)}, of which ${bytes(page)} are read at first`;
  console.log([...describe(contents.tenants), `${styleText('cyan', written.out)}  ${size}`].join('\n'));
  const notes = [
    members.length > 1
      ? `It holds the data of ${count(members.length, 'tenant')}: do not send it to any of them. For one tenant alone: ${commandLine('history open --tenant <name>')}`
      : null,
    left.length > 0
      ? `Not in the config, and left out: ${some(left.map((id) => names.get(id) ?? id))}. One of them: ${commandLine('history open --tenant <name or id>')}`
      : null,
    opened ? null : `Open ${total === page ? 'it' : written.page} in any browser; it needs no network.`,
  ];
  for (const note of notes) if (note !== null) console.log(styleText('dim', note));
  return conclude(wanted === null ? null : { tenant: wanted, fromMonth: '', toMonth: '9999-99' });
}

/** Says how far it is, where there is something to wait for. */
function progressOf(tenants: number): () => void {
  const progress = progressLine();
  let done = 0;
  return () => {
    done += 1;
    if (tenants > 1) progress.show(`Reading the history: ${done} of ${tenants} tenants`);
    if (done === tenants) progress.clear();
  };
}

/**
 * Whom the page shows: the tenants of the config, those without a snapshot too. A tenant that was removed from it stays
 * in the archive, and is shown by `--tenant`. Where the config has none of the archive's, or there is none: the archive's.
 */
function membersOf(known: ReadonlyMap<string, number>, names: Names, config: Config | null): Member[] {
  const configured = config?.tenants ?? [];
  const tagsOf = new Map(configured.map(({ tenantId, tags }) => [tenantId, tags]));
  const ids =
    known.size > 1 && configured.some(({ tenantId }) => known.has(tenantId))
      ? configured.map(({ tenantId }) => tenantId)
      : [...known.keys()];
  return ids.map((id) => ({ id, name: names.get(id) ?? id, tags: tagsOf.get(id) ?? [] }));
}

/** What the page is made of, read from the engine. */
async function sourceOf(
  engine: HistoryEngine,
  known: ReadonlyMap<string, number>,
  members: Member[],
  config: Config | null,
): Promise<Source> {
  const ids = members.flatMap(({ id }) => (known.has(id) ? id : []));
  const listedIds = new Set(members.map(({ id }) => id));
  const mutes = new Map(config?.tenants.map(({ tenantId, alerts }) => [tenantId, alerts.mute]));
  // Both are read at once.
  const histories = readHistories(engine, ids);
  return {
    members,
    catalogue: new Catalogue(await readCatalogue(engine, ids)),
    histories,
    last: Math.max(...ids.map((id) => known.get(id)!)),
    origin: {
      made: dateOf(machineClock.now()),
      archive: engine.location,
      leftOut: [...known.keys()].filter((id) => !listedIds.has(id)).length,
    },
    isMuted: (tenant, control) => isMuted(control, mutes.get(tenant) ?? []),
  };
}

/** A line a tenant; of many, one of all. */
function describe(tenants: Shown[]): string[] {
  const lineOf = (name: string, days: number, changes: number, newest: string) =>
    `${styleText('green', '✓')} ${styleText('bold', name)}  ${count(days, 'day')}, ${count(changes, 'change')} to ${day(newest)}`;
  if (tenants.length <= MOST_LINES) {
    return tenants.map(({ name, days, changes, newest }) => lineOf(name, days, changes, newest));
  }
  const sum = (key: 'days' | 'changes') => tenants.reduce((total, tenant) => total + tenant[key], 0);
  const newest = tenants
    .map((tenant) => tenant.newest)
    .toSorted()
    .at(-1)!;
  return [lineOf(count(tenants.length, 'tenant'), sum('days'), sum('changes'), newest)];
}

const MOST_LINES = 20;

function nothing(tenant: string | undefined, location: string): MonitorError {
  return new MonitorError(
    'history-empty',
    tenant === undefined
      ? `The history of ${location} has no days yet.`
      : `The history of ${location} has no days of ${quote(tenant)}.`,
    `To list its tenants: ${commandLine('history sql "SELECT DISTINCT tenant FROM scores"')}`,
  );
}
