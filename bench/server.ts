import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { dateOf } from '../lambda/dates.ts';
import { generatedTenant } from '../simulator/generated-tenant.ts';
import { handleGraph } from '../simulator/graph.ts';
import { createServerCertificate } from '../simulator/certificates.ts';
import { Tokens } from '../simulator/tokens.ts';

/** The message of the server to its parent once it listens. */
export interface Listening {
  tenantId: string;
  clientId: string;
  /** PEM of the certificate to trust. */
  ca: string;
  authorityHost: string;
  /** Graph as it answers on the first day, and on the next one. */
  graphEndpoints: { first: string; next: string };
}

/**
 * The server is a process of its own, so that the answers cost the measured process nothing except their receipt. They
 * are the simulator's, made once: a tenant of 411 controls as it stood yesterday and today. They are sent gzipped, as
 * Graph sends them.
 */
const SEED = 'bench';
/** An ordinary day with findings: one control loses points, one gains, and no earlier day is restated. */
const DAY = 109;
const clientId = '6f1d3a52-97b1-4c0b-8a3e-2f5d1c7e9b40';

const tls = await createServerCertificate();
const answers = new Map<string, Buffer>();
const server = createServer({ key: tls.privateKey, cert: tls.certificate }, (request, response) => {
  request.resume().once('end', () => {
    const { url = '' } = request;
    // MSAL asks for a token with an id of the request in the query.
    const body = answers.get(url) ?? answers.get(url.replace(/\?.*/, ''));
    response.writeHead(body ? 200 : 404, {
      'content-type': 'application/json;charset=utf-8',
      'content-encoding': 'gzip',
      'content-length': body?.length ?? 0,
    });
    response.end(body);
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const root = `https://localhost:${(server.address() as AddressInfo).port}`;

const tenant = generatedTenant(SEED, { today: dateOf(new Date()), day: DAY });
const { tenantId } = tenant;
const tokens = new Tokens(root, () => new Date());
const token = tokens.issue({ tenantId, clientId, roles: ['SecurityEvents.Read.All'] }, 3599);
const graphEndpoints = { first: `${root}/first`, next: `${root}/next` };

answerEntra();
answerGraph(graphEndpoints.next, 8);
tenant.advance(-1);
answerGraph(graphEndpoints.first, 90);

process.once('disconnect', () => process.exit());
process.send!({
  tenantId,
  clientId,
  ca: tls.certificate,
  authorityHost: root,
  graphEndpoints,
} satisfies Listening);

/** The answers of one day, page by page, under an address of its own. */
function answerGraph(graphEndpoint: string, days: number): void {
  const tenants = new Map([[tenantId, tenant]]);
  const options = { graphEndpoint, tokens, tenants, throttle: null, now: () => new Date() };
  const headers = { authorization: `Bearer ${token}` };
  for (const list of [`secureScores?$top=${days}`, 'secureScoreControlProfiles']) {
    let next: string | undefined = `${graphEndpoint}/v1.0/security/${list}`;
    while (next) {
      const url = new URL(next.slice(graphEndpoint.length), root);
      const { body } = handleGraph(options, { at: new Date(), method: 'GET', url, headers, body: '' }).reply;
      answer(next, body);
      next = list.includes('$top') ? undefined : (body as { '@odata.nextLink'?: string })['@odata.nextLink'];
    }
  }
}

function answerEntra(): void {
  const authority = `${root}/${tenantId}`;
  answer(`${authority}/v2.0/.well-known/openid-configuration`, {
    issuer: `${authority}/v2.0`,
    authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
    token_endpoint: `${authority}/oauth2/v2.0/token`,
    jwks_uri: `${authority}/discovery/v2.0/keys`,
  });
  answer(`${authority}/oauth2/v2.0/token`, { token_type: 'Bearer', expires_in: 3599, access_token: token });
}

function answer(url: string, body: unknown): void {
  answers.set(url.slice(root.length), gzipSync(JSON.stringify(body)));
}
