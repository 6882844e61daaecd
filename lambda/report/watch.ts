import type { Block, MailDocument } from './document.ts';
import { capitalised, count, day, listing, moment } from './format.ts';
import { drawHtml } from './html.ts';
import type { RenderedMail } from './model.ts';
import { line, prose } from './plain-text.ts';
import { drawText } from './text.ts';
import { commandLine } from '../command-line.ts';

/** What the mail of the daily watch reports, over all tenants of a deployment. */
export interface WatchReport {
  deployment: string;
  /** ISO 8601. */
  toldAt: string;
  items: WatchItem[];
}

export type WatchItem =
  /** `already`: reported before, and still overdue. */
  | { kind: 'overdue'; tenants: OverdueTenant[]; already: OverdueTenant[] }
  | { kind: 'digests'; digests: OverdueDigest[] }
  /** Evidence of tenants' archives that has been found damaged, missing or foreign. */
  | { kind: 'evidence'; tenants: { name: string; objects: { key: string; why: string }[] }[] }
  /** A certificate that ends soon, or has ended (`daysLeft` is negative), and the names of its tenants. */
  | { kind: 'certificate'; until: string; daysLeft: number; names: string[]; renews?: boolean | null }
  /** What stands in the way of a certificate's renewal, and old keys that only an admin can remove. */
  | {
      kind: 'renewal';
      until: string;
      daysLeft: number;
      names: string[];
      obstacles: { tenants: string[]; message: string; advice: string }[];
      leftOver: { clientId: string; thumbprint: string; notAfter: string }[];
    };

/** A tenant without a successful run for 30 hours. */
export interface OverdueTenant {
  /** Its id. */
  tenant: string;
  /** The id again, if no run has recorded the name. */
  name: string;
  /** The last run that succeeded, ISO 8601; null where none did. */
  lastRun: string | null;
  /** Since when its runs fail (ISO 8601), and with which codes that was mailed. */
  failing: { since: string; codes: string[] } | null;
  /** Its state cannot be read, so that no run can succeed. */
  damaged: boolean;
}

/** A digest that was due, and was not made. */
export interface OverdueDigest {
  name: string;
  /** The last run that succeeded, ISO 8601; null where none did. */
  lastRun: string | null;
}

/** More are counted, not listed: the function's log has them all. */
const LISTED = 50;
const NAMED = 10;

const LONGEST_NAME = 60;
const LONGEST_SUBJECT = 150;

/** Pure: the same report gives the same mail, byte for byte. */
export function renderWatchMail(report: WatchReport): RenderedMail {
  const deployment = line(report.deployment, LONGEST_NAME);
  const [first] = report.items;
  const more = report.items.length > 1 ? ` (and ${report.items.length - 1} more)` : '';
  const essence = first ? essenceOf(first) : 'nothing to report';
  const document: MailDocument = {
    tenant: deployment,
    title: report.items.length > 1 ? `${report.items.length} things need attention` : capitalised(essence),
    preview: line(report.items.map(essenceOf).join('; '), 160),
    blocks: report.items.flatMap((item): Block[] => [
      ...(report.items.length > 1
        ? [{ type: 'heading' as const, level: 2 as const, text: capitalised(essenceOf(item)) }]
        : []),
      ...blocksOf(item),
    ]),
    footer: [
      "You get this mail because you are listed under operations in the monitor's config.",
      `The daily ${report.items.some(({ kind }) => kind === 'renewal') ? 'renewal of certificates' : 'watch'} of ${deployment}, reported ${moment(report.toldAt)}.`,
    ],
  };
  return {
    kind: 'operations',
    subject: line(`${deployment}: ${essence}${more}`, LONGEST_SUBJECT),
    urgent: false,
    html: drawHtml(document),
    text: drawText(document),
    attachments: [],
    problem: null,
  };
}

function blocksOf(item: WatchItem): Block[] {
  switch (item.kind) {
    case 'overdue':
      return overdueBlocks(item);
    case 'digests':
      return digestBlocks(item);
    case 'evidence':
      return evidenceBlocks(item);
    case 'certificate':
      return certificateBlocks(item);
    case 'renewal':
      return renewalBlocks(item);
  }
}

function essenceOf(item: WatchItem): string {
  if (item.kind === 'evidence') {
    return `evidence is damaged, missing or foreign in the archive of ${names(item.tenants.map(({ name }) => name))}`;
  }
  if (item.kind === 'overdue') {
    const { tenants } = item;
    return `no successful run for ${names(tenants.map(({ name }) => name))}`;
  }
  if (item.kind === 'digests') {
    const { digests } = item;
    const whose = names(digests.map(({ name }) => `“${name}”`));
    return `the ${digests.length === 1 ? 'digest' : 'digests'} ${whose} ${digests.length === 1 ? 'is' : 'are'} overdue`;
  }
  if (item.kind === 'renewal') {
    return item.obstacles.length > 0
      ? `the certificate of ${names(item.names)} cannot renew itself${item.daysLeft < 0 ? ' and has expired' : ''}`
      : `an old certificate of ${names(item.names)} is left in Entra ID`;
  }
  const whose = `the certificate of ${names(item.names)}`;
  if (item.daysLeft < 0) return `${whose} has expired`;
  return `${whose} expires ${item.daysLeft === 0 ? 'within a day' : `in ${count(item.daysLeft, 'day')}`}`;
}

function overdueBlocks({ tenants, already }: WatchItem & { kind: 'overdue' }): Block[] {
  const unlisted = tenants.length - LISTED;
  return [
    {
      type: 'paragraph',
      text: 'No run has succeeded for more than 30 hours. Changes go unseen until one does. Nothing is lost if one succeeds within 90 days: it then reports what was missed, day by day.',
    },
    {
      type: 'details',
      items: tenants
        .slice(0, LISTED)
        .map((tenant) => ({ label: line(tenant.name, LONGEST_NAME), text: known(tenant) })),
    },
    ...(unlisted > 0 ? [{ type: 'paragraph' as const, text: `And ${unlisted} more.` }] : []),
    {
      type: 'details',
      items: [
        ...(already.length > 0
          ? [
              {
                label: 'Reported before, and still overdue',
                text: capitalised(names(already.map(({ name }) => name))),
              },
            ]
          : []),
        {
          label: 'What to do',
          text: `If runs fail, follow the advice in the mail about the failure. Otherwise run “${commandLine('doctor')}”, which checks everything that a run needs, and look at the log of the runs.`,
        },
      ],
    },
  ];
}

function digestBlocks({ digests }: WatchItem & { kind: 'digests' }): Block[] {
  return [
    {
      type: 'paragraph',
      text: 'A digest was due more than 30 hours ago and has not been made. Nothing is lost: the next one covers all days since the last.',
    },
    {
      type: 'details',
      items: [
        ...digests.slice(0, LISTED).map(({ name, lastRun }) => ({
          label: line(name, LONGEST_NAME),
          text: lastRun === null ? 'It has never been made.' : `It was last made on ${moment(lastRun)}.`,
        })),
        {
          label: 'What to do',
          text: `Look at its schedule (in EventBridge Scheduler, its name begins with “digest-”) and at the log of the function. On a single machine, check that a timer runs “${commandLine('digest')}”.`,
        },
      ],
    },
  ];
}

function evidenceBlocks({ tenants }: WatchItem & { kind: 'evidence' }): Block[] {
  const unlisted = tenants.length - LISTED;
  return [
    {
      type: 'paragraph',
      text: 'The daily watch compares a part of each archive with its ledger. These objects are not as they were archived, or no run archived them. Their content proves nothing, so nothing is derived from them.',
    },
    {
      type: 'details',
      items: tenants.slice(0, LISTED).map(({ name, objects }) => {
        const shown = objects.slice(0, NAMED).map(({ key, why }) => `${line(key, 200)} (${line(why, 200)})`);
        const more = objects.length - shown.length;
        return {
          label: line(name, LONGEST_NAME),
          text: [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('; '),
        };
      }),
    },
    ...(unlisted > 0 ? [{ type: 'paragraph' as const, text: `And ${unlisted} more.` }] : []),
    {
      type: 'details',
      items: [
        {
          label: 'What to do',
          text: `List everything that is wrong with “${commandLine('archive verify --deployed')}”. Restore the objects from an earlier version in the bucket or from a backup. If an object cannot be restored, or no entry of the ledger lists it, find out who changed it, and acknowledge it with “${commandLine('archive acknowledge')}”, so that it is not reported again.`,
        },
      ],
    },
  ];
}

function known({ tenant, lastRun, failing, damaged }: OverdueTenant): string {
  if (damaged) {
    return `Its state in the archive is damaged, so no run can succeed. Move state/tenant=${tenant}.json away: the next run goes on from the last report, and nothing is lost.`;
  }
  const last =
    lastRun === null ? 'No run has ever succeeded' : `The last successful run was on ${moment(lastRun)}`;
  if (!failing) return `${last}. No run has reported an error.`;
  const codes = failing.codes.length > 0 ? ` (${line(failing.codes.join(', '), 120)})` : '';
  return `${last}. Runs have failed since ${day(failing.since)}${codes}.`;
}

function certificateBlocks(item: WatchItem & { kind: 'certificate' }): Block[] {
  const { until, daysLeft, names: whose } = item;
  return [
    {
      type: 'details',
      items: [
        {
          label: 'What happened',
          text:
            daysLeft < 0
              ? `The certificate that signs in to ${names(whose)} expired on ${day(until)}. Runs fail until it is replaced.`
              : `The certificate that signs in to ${names(whose)} expires on ${day(until)}. Runs fail from then on.`,
        },
        {
          label: 'What to do',
          text: `${item.renews === true ? `It should have renewed itself: check the operations mail for the reason, or run “${commandLine('certificate rotate --dry-run')}”. To renew it by hand, create` : 'Create'} another with “${commandLine('certificate create')}”, upload its public part to the app registration (the old one can stay there too), and store it in the secret with “${commandLine('certificate put')}”.${item.renews === false ? ' To have this done automatically from then on, add objectId to the config (see “Certificates” in the README).' : ''}`,
        },
      ],
    },
  ];
}

function renewalBlocks({ until, daysLeft, obstacles, leftOver }: WatchItem & { kind: 'renewal' }): Block[] {
  const details = (items: { label: string; text: string }[]): Block => ({ type: 'details', items });
  return [
    ...(obstacles.length > 0
      ? [
          {
            type: 'paragraph' as const,
            text:
              daysLeft < 0
                ? `The certificate expired on ${day(until)}. Runs fail until it is replaced.`
                : `The current certificate is valid until ${day(until)} (${count(daysLeft, 'day')} left). The renewal is tried again every day.`,
          },
        ]
      : []),
    ...obstacles.slice(0, NAMED).map(({ tenants, message, advice }) =>
      details([
        { label: tenants.length === 1 ? 'Tenant' : 'Tenants', text: names(tenants) },
        { label: 'What happened', text: prose(message, 1000) },
        { label: 'What to do', text: prose(advice, 1000) },
      ]),
    ),
    ...(obstacles.length > NAMED
      ? [{ type: 'paragraph' as const, text: `And ${obstacles.length - NAMED} more, all in the log.` }]
      : []),
    ...leftOver.slice(0, NAMED).map(({ clientId, thumbprint, notAfter }) =>
      details([
        {
          label: 'What is left',
          text: `The app ${clientId} still lists an old certificate with the thumbprint ${thumbprint}. The monitor cannot remove it because it does not know its id: it was uploaded by hand, or the answer from Entra ID was lost.`,
        },
        {
          label: 'What to do',
          text: `Nothing is required: nothing signs in with it, and it expires on ${day(notAfter)}. To remove it now, open the app in the Entra admin center (App registrations) and delete it under Certificates & secrets.`,
        },
      ]),
    ),
  ];
}

function names(all: string[]): string {
  const shown = all.slice(0, NAMED).map((name) => line(name, LONGEST_NAME));
  const more = all.length - shown.length;
  return listing(more > 0 ? [...shown, `${more} more`] : shown);
}
