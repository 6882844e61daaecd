import type http from 'node:http';
import { MonitorError } from './errors.ts';

/*
 * HTTPS_PROXY, HTTP_PROXY and NO_PROXY, followed by Node's own means:
 * https://nodejs.org/docs/latest-v24.x/api/http.html#built-in-proxy-support
 *
 * NODE_USE_ENV_PROXY does not suffice: it is read before our first line, it applies to fetch and Node's global agents but
 * not to the agents that the AWS SDK makes for itself, and it sends requests to this machine and for credentials of AWS
 * through the proxy as well.
 */

/** Hosts that are never reached through a proxy: this machine, and those from which EC2, ECS and EKS get credentials. */
const DIRECT = [
  'localhost',
  '127.0.0.1',
  '::1',
  '[::1]',
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '[fd00:ec2::254]',
  '[fd00:ec2::23]',
];

/** The variables in the form that Node accepts. */
interface ProxyVariables {
  HTTPS_PROXY: string;
  HTTP_PROXY: string;
  NO_PROXY: string;
}

/** @returns null if no proxy is set. @throws MonitorError `proxy-invalid` */
export function proxyOf(env: NodeJS.ProcessEnv = process.env): ProxyVariables | null {
  const read = (name: string): string => (env[name.toLowerCase()] || env[name])?.trim() ?? '';
  const proxies = { HTTPS_PROXY: read('HTTPS_PROXY'), HTTP_PROXY: read('HTTP_PROXY') };
  for (const [name, value] of Object.entries(proxies)) if (value !== '') check(name, value);
  if (proxies.HTTPS_PROXY === '' && proxies.HTTP_PROXY === '') return null;
  const except = read('NO_PROXY');
  return { ...proxies, NO_PROXY: except === '*' ? '*' : [except, ...DIRECT].filter(Boolean).join(',') };
}

/**
 * Sets the proxy for everything that uses Node's global agents (Graph, Entra ID, webhooks), and for fetch.
 * @returns a function that undoes it. @throws MonitorError `proxy-invalid`
 */
export function followProxy(): () => void {
  const proxy = proxyOf();
  // The module is loaded on demand, because loading takes 40 ms and few machines are behind a proxy.
  return proxy ? process.getBuiltinModule('node:http').setGlobalProxyFromEnv({ ...proxy }) : () => {};
}

/** The agents for a client of the AWS SDK, as a part of its `requestHandler`. @throws MonitorError `proxy-invalid` */
export function proxyAgents(): { httpAgent?: http.AgentOptions; httpsAgent?: http.AgentOptions } {
  const proxy = proxyOf();
  return proxy ? { httpAgent: { proxyEnv: { ...proxy } }, httpsAgent: { proxyEnv: { ...proxy } } } : {};
}

/** The address for people, without name and password. @param address a checked one */
export function proxyName(address: string): string {
  const { protocol, host, username } = new URL(address);
  return `${protocol}//${host}${username === '' ? '' : ' (with name and password)'}`;
}

/** Checks a variable. The error does not quote the value, because it may contain a password. */
function check(name: string, value: string): void {
  const url = URL.parse(value);
  if (url?.hostname && ['http:', 'https:'].includes(url.protocol)) return;
  throw new MonitorError(
    'proxy-invalid',
    url === null || url.hostname === ''
      ? `${name} is not the address of a proxy.`
      : `${name} is a proxy of the kind ${url.protocol}//, but only http:// and https:// can be used.`,
    `Set ${name} to an address like http://proxy.contoso.com:3128, or unset it.`,
  );
}
