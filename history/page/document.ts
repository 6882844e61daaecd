import { createHash } from 'node:crypto';
import { day, score } from '../../lambda/report/format.ts';
import type { Part } from './pack.ts';
import { pageStyle } from './style.ts';
import { dateOfNumber, summed, type WireTenant } from './wire.ts';

/** The first line of every page that we write: what is overwritten without asking is one of these. */
export const PAGE_MARK = '<!-- secure-score history -->';

/** A tenant whose history is on the page: the part `tenant-<its place>`. */
export interface Listed {
  id: string;
  name: string;
  /** How it stands on its newest day, for those who switched scripts off. */
  inShort: string;
  /** yyyy-mm-dd. */
  newest: string;
}

export function listed(tenant: WireTenant): Listed {
  const { id, name, days } = tenant;
  const [points, maximum] = [days.points.at(-1)!, days.maximum.at(-1)!];
  const percentage = maximum > 0 ? (100 * points) / maximum : null;
  const newest = dateOfNumber(summed(days.date).at(-1)!);
  return {
    id,
    name,
    newest,
    inShort: `${score({ date: newest, points, maximum, percentage })} on ${day(newest)}`,
  };
}

export interface Contents {
  /** At least one, in the order of their parts. */
  tenants: Listed[];
  /** Those that the page itself carries. */
  parts: Part[];
  /** Those that lie beside it, in files: names of files by that of the part. */
  files: Record<string, string>;
  /** Minified, of `pageScript`. */
  script: string;
}

/**
 * The page: an HTML file that asks for nothing but its own parts, and runs no script but its own. Without files it
 * needs nothing else.
 */
export function pageDocument({ tenants, parts, files, script }: Contents): string {
  const style = pageStyle();
  if (/<\/script|<!--/i.test(script)) throw new Error('the script of the page would end too early');
  const hasFiles = Object.keys(files).length > 0;
  // A page that is published holds nothing of a tenant that a browser takes for markup or script. Parts in files are
  // scripts: those that our own script puts there run, whose addresses are the files' names (see browser/parts.ts).
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'${hasFiles ? " 'strict-dynamic'" : ''}`,
    `style-src '${hashOf(style)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    `trusted-types ${hasFiles ? 'parts' : "'none'"}`,
  ].join('; ');
  const title = tenants.length === 1 ? `${tenants[0]!.name} · Secure Score history` : 'Secure Score history';
  return `<!doctype html>
${PAGE_MARK}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="generator" content="secure-score-monitor">
<title>${escaped(title)}</title>
<link rel="icon" href="${ICON}">
<style>${style}</style>
</head>
<body>
<div id="app">
<main class="loading">
<h1 class="hidden">Secure Score history</h1>
<noscript>
<p>This page draws its charts with a script, which is switched off here. What stands without it:</p>
<ul>
${tenants.map(({ name, inShort }) => `<li>${escaped(`${name}: ${inShort}`)}</li>`).join('\n')}
</ul>
</noscript>
</main>
</div>
<script type="application/json" id="tenants">${json(tenants.map(({ id, name }) => ({ id, name })))}</script>
<script type="application/json" id="files">${json(files)}</script>
${parts.map(({ name, packed }) => `<script type="text/plain" id="${escaped(name)}">${packed}</script>`).join('\n')}
<script>${script}</script>
</body>
</html>
`;
}

/** Two steps up: the logo of the page. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="5" fill="#0f6cbd"/><path d="M4 11l3-3 2 2 3-5" fill="none" stroke="#fff" stroke-width="2"/></svg>',
)}`;

/** JSON that cannot end its element, whatever the texts in it say. */
function json(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', String.raw`\u003c`);
}

function escaped(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (letter) => entities[letter]!);
}

/** The hash of a script or style as the content security policy lists it. */
function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
