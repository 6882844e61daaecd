import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { html } from 'htm/preact';
import { hashOf, START, type Route } from '../route.ts';

/** The tenant shown, for links. */
export const Tenant = createContext<string | null>(null);

interface ControlLinkProps {
  name: string;
  title: string;
}

/** To a control's page: an address of its own, so that it also opens in a new tab. */
export function ControlLink({ name, title }: ControlLinkProps) {
  const tenant = useContext(Tenant);
  const route: Route = { ...START, tenant, control: name };
  return html`<a href=${hashOf(route)} data-control=${name}>${title}</a>`;
}
