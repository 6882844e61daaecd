import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { day, score } from '../../lambda/report/format.ts';
import { pageStyle } from './style.ts';
import { decode, type WireTenant } from './wire.ts';

/** The first line of every page that we write: what is overwritten without asking is one of these. */
export const PAGE_MARK = '<!-- secure-score history -->';

/**
 * The page: one HTML file that needs nothing else, asks for nothing, and runs no script but its own.
 * @param tenants at least one, in the order in which they are offered
 * @param script minified, of `pageScript`
 */
export function pageDocument(tenants: WireTenant[], script: string): string {
  const style = pageStyle();
  if (/<\/script|<!--/i.test(script)) throw new Error('the script of the page would end too early');
  // A page that is published holds nothing of a tenant that a browser takes for markup or script.
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
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
${tenants.map((tenant) => `<li>${escaped(inShort(tenant))}</li>`).join('\n')}
</ul>
</noscript>
</main>
</div>
<script type="application/json" id="tenants">${json(tenants.map(({ id, name }) => ({ id, name })))}</script>
${tenants.map((tenant, place) => `<script type="text/plain" id="tenant-${place}">${packed(tenant)}</script>`).join('\n')}
<script>${script}</script>
</body>
</html>
`;
}

/** Two steps up: the logo of the page. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="5" fill="#0f6cbd"/><path d="M4 11l3-3 2 2 3-5" fill="none" stroke="#fff" stroke-width="2"/></svg>',
)}`;

/** The newest day of a tenant, in a line. */
function inShort(tenant: WireTenant): string {
  const { name, days } = decode(tenant);
  const last = days.at(-1)!;
  return `${name}: ${score(last)} on ${day(last.date)}`;
}

/** Gzip in base64: letters that end nothing. Equal tenants give equal bytes. */
function packed(tenant: WireTenant): string {
  return gzipSync(JSON.stringify(tenant), { level: 9 }).toString('base64');
}

/** JSON that cannot end its element, whatever the texts in it say. */
function json(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', String.raw`\u003c`);
}

function escaped(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (letter) => entities[letter]!);
}

/** As a policy names what it allows. */
function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
