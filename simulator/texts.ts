import type { CatalogueEntry } from './catalogue.ts';
import { randomOf } from './random.ts';

/**
 * The texts of a recommendation, in the HTML that Microsoft sends: its tags and entities, tabs, typographic
 * apostrophes, and links without quotes. They are composed of building blocks, and are the same for the same
 * recommendation.
 */
export interface Texts {
  description: string;
  remediation: string;
  remediationImpact: string;
  /**
   * A template, see `fillStatus`: {count}, {failing}, {total} and {percent} of a share, {exposed} and {devices} of
   * devices, {state} of a switch.
   */
  status: string;
}

const cache = new Map<string, Texts>();

export function textsOf(entry: CatalogueEntry): Texts {
  const known = cache.get(entry.id);
  if (known) return known;
  const random = randomOf(`texts of ${entry.id}`);
  const { title, of } = entry;
  const what = title.charAt(0).toLowerCase() + title.slice(1).trimEnd();
  const many = of ?? 'settings';
  const risk = random.pick([
    'An attacker who gets hold of one account can otherwise move on to the next without being noticed.',
    'Most of the break-ins that start with a single click could have been stopped at this point.',
    'Without it, data can leave the organization in ways that nobody reviews afterwards.',
    'Attackers look for exactly this gap, because it needs no special tools and leaves few traces.',
  ]);
  const scope = random.pick([
    `It concerns all ${many} of the organization, whatever they're used for.`,
    `Start with the ${many} that matter most, then widen the circle.`,
    `Exceptions are possible; keep their number small and look at them every quarter.`,
  ]);
  const later = random.pick([
    'The points are given as soon as the next sync has seen the change, in most cases after a day or two. Part of the points is given where part of it is done.',
    'You can also resolve this with a product of another vendor: set the state to “resolved through third party” then, and say in the comment which one it is.',
    'Look at the report first: it names who and what would be affected, and for how many of them the change would be visible in their daily work.',
  ]);
  const description = random.pick([
    `\n\t\t\tThis recommendation asks you to ${what}.\n            <br/>\n\t\t\t${risk} ${scope}\n\t\t\t<br/>\n\t\t\t${later}\n\t\t`,
    `<p>This recommendation asks you to ${what}.</p><p>${risk}&nbsp;${scope}</p><p>${later}</p>`,
    `This recommendation asks you to ${what}. ${risk} ${scope} ${later} <i>Part of the baseline for small &amp; medium organizations.</i>`,
    `<div><span style="color: #333333;">${risk}</span><br>${scope}</div><p>${later}</p><p>What to do: <b>${title.trimEnd()}</b>.</p>`,
  ]);
  const texts = {
    description,
    remediation: remediationOf(entry, random.integer(0, 3)),
    remediationImpact: random.pick([
      'None.',
      'Unknown',
      `Your users won’t notice anything, apart from those who relied on the old behavior.`,
      `<p>Some ${many} need a <em>second</em> look after the change:</p> <ul> <li>those that are shared,</li> <li>those that no person owns.</li> </ul>`,
      `<p>Users may have to sign in once more.&nbsp;<u>Tell them beforehand.</u></p>`,
    ]),
    status: statusOf(entry, random.integer(0, 2)),
  };
  cache.set(entry.id, texts);
  return texts;
}

function remediationOf(entry: CatalogueEntry, shape: number): string {
  const portal = portalOf(entry.service);
  const url = entry.url.trim().replace('?tid={tenant}', '').replace('&tid={tenant}', '');
  const title = entry.title.trimEnd();
  switch (shape) {
    case 0:
      return (
        `<ol> <li>Open the <strong>${portal}</strong> at <a href=${url} target=_blank>${url}</a>.</li> ` +
        `<li>Select <em>Policies</em>&nbsp;&gt; <em>All policies</em>, and look for one that covers this.</li> ` +
        `<li>If there is none, select <strong>Create</strong> and give it a name that says what it’s for.</li> ` +
        `<li>Set &lsquo;<strong>${title}</strong>&rsquo; as recommended, first for a small group.</li> ` +
        `<li>After a week without complaints, assign it to everybody.</li> </ol>` +
        `<p><b>Note:</b> points appear 24&ndash;48 hours after the change. If they don’t, look for a second policy with a higher ` +
        `priority: the first one that matches wins, and a policy that nobody remembers is often the one that matches first.</p>` +
        `<p>Before you assign it to everybody:</p><ul><li>tell the help desk what to expect,</li><li>leave out the two accounts ` +
        `that are kept for emergencies,</li><li>write down who decided it, and when it’s to be reviewed.</li></ul>`
      );
    case 1:
      return (
        `<p>1. Sign in to the ${portal} as an administrator.<br />2. Go to <b>Settings</b>, then <b>Security</b>.<br />` +
        `3. Find the setting that is meant by <i>${title}</i>.<br />4. Change it, and select <b>Save</b>.</p>` +
        `<p>To look at what is there today, run the report of the same name. <span style="color: #ff0000;"><strong>Do not</strong></span> ` +
        `change it for emergency accounts.</p><p>Larger organizations do this in rings: first those who run the service, then a ` +
        `department that volunteered, then everybody else. Leave a week between two rings. What is learned in one ring goes into ` +
        `the announcement of the next; that alone saves most of the questions.</p>`
      );
    case 2:
      return (
        `<div>\t<p>In the <a href="${url}" rel="noopener">${portal}</a>:</p><ul><li>choose the group that it should hold for,</li>` +
        `<li>turn it on,</li><li>review who is left out: an exception that nobody remembers is a hole.</li></ul>` +
        `<p><label>Applies to</label> <abbr title="Everything that is in the tenant">all</abbr> of <em>${entry.service}</em>.</p><p>If it cannot be done in one go, ` +
        `write down the rest as an exception with an owner and a date. The score gives part of the points for part of the work ` +
        `wherever it counts something; where it is on or off, the points come when the last exception is gone.</p></div>`
      );
    default:
      return (
        `Open the ${portal}, go to the page of this recommendation and follow the steps that it shows for ${title}. <br> <br> They differ ` +
        `from license to license: what Plan 1 does with one switch, Plan 2 splits into a policy, its scope and its exceptions. ` +
        `Start with the scope. A policy without one holds for nobody, and the score won’t move.`
      );
  }
}

function portalOf(service: string): string {
  if (service === 'AzureAD') return 'Microsoft Entra admin center';
  if (service === 'EXO') return 'Exchange admin center';
  if (service === 'Intune') return 'Microsoft Intune admin center';
  if (service === 'MIP') return 'Microsoft Purview portal';
  if (service === 'SPO') return 'SharePoint admin center';
  if (service === 'MS Teams') return 'Teams admin center';
  if (service.startsWith('MDA_')) return `administration of ${service.slice(4)}`;
  return 'Microsoft Defender portal';
}

function statusOf({ service, category, of, counts }: CatalogueEntry, shape: number): string {
  if (category === 'Device' && of) return '{exposed}/{devices} exposed devices';
  if (counts) return 'You currently have {count} of them.';
  if (service === 'MDO' && of) {
    return (
      `<p> {percent}% of users are affected by policies that are configured securely&nbsp;</p>` +
      `<ul><li>Default - {count} users ({percent}%)&nbsp;</li></ul>`
    );
  }
  if (of === 'devices')
    return `You have {failing} of {total} devices that don’t meet this recommendation yet. Devices that were not seen for a month are left out.`;
  if (of === 'admins')
    return `You have {failing} out of {total} users with administrative roles that aren’t covered by this.`;
  if (of)
    return `You have {failing} of {total} ${of} that aren’t covered by this, or only by a policy that is not enforced.`;
  if (shape === 0) return 'The setting’s current status: {state}';
  if (shape === 1) return '';
  return service.startsWith('MDA_') ? 'Feature in place: {place}.' : 'Your current status: {state}';
}
