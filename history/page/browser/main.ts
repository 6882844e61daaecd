import { html } from 'htm/preact';
import { render } from 'preact';
import { decode, type History, type WireTenant } from '../wire.ts';
import { App } from './app.ts';
import type { TenantEntry } from './header.ts';

/** Read once each. */
const histories = new Map<string, Promise<History>>();

const element = (id: string): HTMLElement => {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no ${id}`);
  return found;
};

const tenants = JSON.parse(element('tenants').textContent ?? '[]') as TenantEntry[];

function load(id: string): Promise<History> {
  let history = histories.get(id);
  if (!history) {
    history = read(element(`tenant-${tenants.findIndex((tenant) => tenant.id === id)}`).textContent ?? '');
    histories.set(id, history);
  }
  return history;
}

/** @param packed gzip, in base64 */
async function read(packed: string): Promise<History> {
  const bytes = Uint8Array.from(atob(packed.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return decode((await new Response(stream).json()) as WireTenant);
}

const root = element('app');
root.replaceChildren();
render(html`<${App} tenants=${tenants} load=${load} />`, root);
