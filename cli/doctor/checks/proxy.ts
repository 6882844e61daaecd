import { proxyName, proxyOf } from '../../../lambda/proxy.ts';
import type { Outcome } from './examination.ts';

/** Whether the environment has any setting of proxies to show. */
export const proxyIsSet = (): boolean =>
  ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].some(
    (name) => process.env[name] || process.env[name.toLowerCase()],
  );

/** Shows which way requests go. @throws MonitorError `proxy-invalid` */
export async function proxyCheck(): Promise<Outcome<void>> {
  const proxy = proxyOf();
  if (!proxy?.HTTPS_PROXY) {
    return {
      found: 'none for https: requests go straight to Microsoft and AWS',
      value: undefined,
      warning:
        'Set HTTPS_PROXY if they must go through a proxy: HTTP_PROXY and ALL_PROXY are not used for https.',
    };
  }
  const own = process.env['no_proxy'] || process.env['NO_PROXY'];
  const except = `except to this machine${own ? ` and to ${own}` : ''}`;
  return { found: `https goes through ${proxyName(proxy.HTTPS_PROXY)}, ${except}`, value: undefined };
}
