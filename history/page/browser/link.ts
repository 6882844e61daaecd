import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { html } from 'htm/preact';
import { hashOf, START, type Route } from '../route.ts';

/** The tenant shown, for links, and the names of its recommendations that are muted. */
export const Tenant = createContext<{ id: string | null; muted: ReadonlySet<string> }>({
  id: null,
  muted: new Set(),
});

interface ControlLinkProps {
  name: string;
  title: string;
}

/** To a control's page: an address of its own, so that it also opens in a new tab. */
export function ControlLink({ name, title }: ControlLinkProps) {
  const { id, muted } = useContext(Tenant);
  const route: Route = { ...START, tenant: id, control: name };
  return html`<a href=${hashOf(route)} data-control=${name}>${title}</a
    >${muted.has(name) && html` <${Muted} />`}`;
}

/** Its share is in every sum, and no mail goes out because of it. */
export function Muted() {
  return html`<span
    class="badge"
    title="The config mutes it: it is in every sum, and no mail goes out because of it"
    >muted</span
  >`;
}
