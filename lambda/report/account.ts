import { capitalised, count, listing, NOISE, numeral, signedUnits, units } from './format.ts';
import { bends, roundTogether } from './rounding.ts';
import type { MailAccount, Report, ReportedChange } from './model.ts';

/** The sentence that explains the change of the score, and the lines of what else belongs to the sum. */
export interface Explained {
  /** "−1.0", with the decimals that the parts are printed with. */
  change: string;
  decimals: number;
  /** "Down 1.0 percentage points: two recommendations lost 1.1 here and one gained 0.3. Microsoft added …" */
  sentence: string;
  /** The other parts. With those in the sentence the printed amounts add up to the change. */
  lines: { label: string; amount: string; note: string }[];
}

type Name = keyof MailAccount;

/** In the order in which they are listed. */
const MAIN = ['lost', 'gained', 'rescored', 'decided'] as const;
const OTHERS = ['drift', 'silenced', 'muted', 'waiting', 'healed', 'countedBefore', 'unexplained'] as const;
const LABEL: Record<(typeof OTHERS)[number] | (typeof MAIN)[number], string> = {
  lost: 'Lost here',
  gained: 'Gained here',
  rescored: 'By Microsoft',
  decided: 'By decisions',
  drift: 'Drift as people and devices come and go',
  muted: 'Muted',
  silenced: 'Silenced, each below the minimum',
  waiting: 'Pending confirmation',
  healed: 'Healed before being reported',
  countedBefore: 'Already counted in an earlier mail',
  unexplained: 'Not explained by any recommendation',
};

/** A part, rounded so that all of them add up. */
export interface PrintedPart {
  name: Name;
  /** In units of the last decimal. */
  units: number;
  controls: number;
}

/** @returns null where there is no earlier score to explain a change from */
export function explained(report: Report): Explained | null {
  const { account, before, after } = report;
  if (account === null || before?.percentage == null || after?.percentage == null) return null;
  const printed = printedParts(account, after.percentage - before.percentage);
  const { total, decimals, parts } = printed;

  const inSentence = parts.filter(({ name, units: of }) => of !== 0 && !isContrary(name, of));
  const clauses = clausesOf(
    new Map(inSentence.filter(({ name }) => isMain(name)).map((part) => [part.name, part])),
    report,
    decimals,
  );
  const lines = parts
    .filter((part) => !(isMain(part.name) && inSentence.includes(part)))
    .map(({ name, units: of, controls }) => ({
      label: LABEL[name],
      amount: of === 0 ? `less than ${units(1, decimals)}` : signedUnits(of, decimals),
      note: controls === 0 ? '' : count(controls, 'recommendation'),
    }));
  if (account.waiting.controls > 0 && !parts.some(({ name }) => name === 'waiting')) {
    const note = `${count(account.waiting.controls, 'recommendation')}, already counted`;
    lines.push({ label: LABEL.waiting, amount: signedUnits(0, decimals), note });
  }
  const head =
    total === 0
      ? 'Unchanged'
      : `${total < 0 ? 'Down' : 'Up'} ${units(Math.abs(total), decimals)} percentage points`;
  // What stands below may be what matters most.
  const inWords = inSentence.filter(({ name }) => isMain(name)).reduce((sum, part) => sum + part.units, 0);
  const hasRest = inWords !== total && lines.length > 0;
  const [first, ...others] = clauses;
  const sentences =
    first === undefined
      ? [`${head}${hasRest ? ', for the reasons below' : ''}`]
      : [`${head}: ${first}`, ...others, ...(hasRest ? ['the rest is listed below'] : [])];
  return {
    change: signedUnits(total, decimals),
    decimals,
    sentence: sentences.map((each) => `${capitalised(each)}.`).join(' '),
    lines,
  };
}

/** All parts that are not 0, and the decimals that show them; as printed they add up to the total. */
function printedParts(
  account: MailAccount,
  change: number,
): { total: number; decimals: number; parts: PrintedPart[] } {
  const shown = [...MAIN, ...OTHERS]
    .map((name) => ({ name, value: valueOf(account, name), controls: controlsOf(account, name) }))
    .filter(({ value }) => Math.abs(value) >= NOISE);
  for (let decimals = 1; ; decimals += 1) {
    const rounded = roundTogether(
      shown.map(({ value }) => value),
      change,
      decimals,
    );
    const parts = shown.map(({ name, controls }, index) => ({
      name,
      controls,
      units: rounded.parts[index]!,
    }));
    // A second decimal where one would hide what the mail is about, or where a part adds up only if it is not rounded as
    // usual: its row says 0.34, and the sentence would say 0.4. More only where they hide all of it.
    const hidesMain = parts.some(({ name, units: of }) => isMain(name) && of === 0);
    const isBent = bends(
      shown.map(({ value }) => value),
      rounded.parts,
      decimals,
    );
    const hidesAll = rounded.total === 0 && Math.abs(change) >= NOISE;
    if (decimals >= 4 || !(hidesAll || ((hidesMain || isBent) && decimals < 2))) {
      return { total: rounded.total, decimals, parts };
    }
  }
}

function isMain(name: Name): boolean {
  return (MAIN as readonly Name[]).includes(name);
}

function valueOf(account: MailAccount, name: Name): number {
  const part = account[name];
  return typeof part === 'number' ? part : (part?.percentagePoints ?? 0);
}

function controlsOf(account: MailAccount, name: Name): number {
  const part = account[name];
  if (typeof part === 'number' || part === undefined) return 0;
  return 'drops' in part ? part.drops.length : part.controls;
}

/** Drops that rose in sum, because later moves count with them, do not fit the sentence and are listed instead. */
function isContrary(name: Name, of: number): boolean {
  return (name === 'lost' && of > 0) || (name === 'gained' && of < 0);
}

function clausesOf(parts: Map<Name, PrintedPart>, report: Report, decimals: number): string[] {
  const amount = (part: PrintedPart) => units(Math.abs(part.units), decimals);
  const [lost, gained, rescored, decided] = MAIN.map((name) => parts.get(name));
  const another = (part: PrintedPart) => ((part.units < 0 ? lost : gained) ? 'another ' : '');

  const here = [
    ...(lost ? [`${recommendations(lost.controls)} lost ${amount(lost)} here`] : []),
    ...(gained
      ? [
          lost
            ? `${numeral(gained.controls)} gained ${amount(gained)}`
            : `${recommendations(gained.controls)} gained ${amount(gained)} here`,
        ]
      : []),
  ];
  return [
    ...(here.length > 0 ? [here.join(' and ')] : []),
    ...(rescored
      ? [
          `${actOfMicrosoft(report)}, which ${rescored.units < 0 ? 'took' : 'gave'} ${another(rescored)}${amount(rescored)}`,
        ]
      : []),
    ...(decided
      ? [
          `${decided.controls === 1 ? 'a decision' : 'decisions'} on ${recommendations(decided.controls)} ${decided.units < 0 ? 'took' : 'gave'} ${amount(decided)}`,
        ]
      : []),
  ];
}

/** "one recommendation", "12 recommendations". */
function recommendations(number: number): string {
  return count(number, 'recommendation', numeral(number));
}

/**
 * "Microsoft added five recommendations and removed two"; "enabled services changed, so Microsoft …" if that is the
 * reason. The subject is always Microsoft, as in the chart and on the history page.
 */
function actOfMicrosoft({ days }: Report): string {
  const acts = days.flatMap(({ changes }) => {
    const services = changes.some(({ kind }) => kind === 'services');
    return changes
      .filter(({ kind, fate }) => fate === 'told' && kind in ACTS)
      .map(({ kind, control }) => ({ kind, control, services }));
  });
  const by = (kind: ReportedChange['kind']) =>
    new Set(acts.flatMap((act) => (act.kind === kind ? (act.control ?? []) : []))).size;
  const kinds = (Object.keys(ACTS) as (keyof typeof ACTS)[]).filter((kind) => by(kind) > 0);
  const done = kinds.map(
    (kind, index) => `${ACTS[kind]} ${index === 0 ? recommendations(by(kind)) : numeral(by(kind))}`,
  );
  if (acts.some(({ control }) => control === null)) {
    done.push(
      kinds.includes('re-scored') ? 'others without points' : 're-scored recommendations without points',
    );
  }
  const what = `Microsoft ${listing(done) || 're-scored recommendations'}`;
  if (acts.length > 0 && acts.every(({ services }) => services))
    return `enabled services changed, so ${what}`;
  return acts.some(({ services }) => services) ? `${what} (in part because enabled services changed)` : what;
}

const ACTS = { new: 'added', removed: 'removed', 're-scored': 're-scored' } as const;
