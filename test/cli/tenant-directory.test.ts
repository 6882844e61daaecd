import https from 'node:https';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { consentAddress, findTenant, tenantOrDomain } from '../../cli/tenant/directory.ts';
import { CLOUDS } from '../../lambda/config.ts';

const ID = '11111111-2222-4333-8444-555555555555';
afterEach(() => vi.restoreAllMocks());

/** What Entra ID answers; the fields are those of its OpenID configuration. */
function answering(body: object | string, status = 200): string[] {
  const asked: string[] = [];
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const request = ({ href }: { href: string }, answer: (response: object) => void) => {
    asked.push(href);
    answer(Object.assign(Readable.from([Buffer.from(text)]), { statusCode: status, headers: {} }));
    return new PassThrough();
  };
  vi.spyOn(https, 'request').mockImplementation(request as never);
  return asked;
}
const configuration = (fields: object, host = 'login.microsoftonline.com') => ({
  issuer: `https://${host}/${ID.toUpperCase()}/v2.0`,
  tenant_region_sub_scope: null,
  cloud_instance_name: 'microsoftonline.com',
  msgraph_host: 'graph.microsoft.com',
  ...fields,
});

describe('the tenant of a domain', () => {
  test.each<[string, object, string]>([
    ['the global cloud', configuration({}), 'global'],
    ['GCC, which is in it', configuration({ tenant_region_sub_scope: 'GCC' }), 'global'],
    [
      'GCC High',
      configuration(
        { tenant_region_sub_scope: 'DODCON', cloud_instance_name: 'microsoftonline.us' },
        'login.microsoftonline.us',
      ),
      'usgov',
    ],
    ['GCC High, by its Graph', configuration({ msgraph_host: 'graph.microsoft.us' }), 'usgov'],
    ['DoD', configuration({ tenant_region_sub_scope: 'DOD', msgraph_host: 'dod-graph.microsoft.us' }), 'dod'],
  ])('is found in %s', async (_, body, cloud) => {
    const asked = answering(body);
    expect(await findTenant('contoso.com', CLOUDS.global)).toEqual({ tenantId: ID, cloud });
    expect(asked).toEqual([
      'https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration',
    ]);
  });

  test.each<[string, object | string, number, string]>([
    [
      'that nobody has',
      { error: 'invalid_tenant', error_description: "AADSTS90002: Tenant 'x' not found." },
      400,
      'tenant-unknown',
    ],
    [
      'in China',
      configuration({ cloud_instance_name: 'partner.microsoftonline.cn' }),
      200,
      'cloud-unsupported',
    ],
    ['that a proxy answers for', '<html>log in</html>', 200, 'sign-in-malformed-answer'],
    [
      'whose document contains no tenant',
      configuration({ issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' }),
      200,
      'sign-in-malformed-answer',
    ],
  ])('%s is an error', async (_, body, status, code) => {
    answering(body, status);
    await expect(findTenant('contoso.com', CLOUDS.global)).rejects.toMatchObject({ code });
  });
});

test.each<[string, object]>([
  [' Contoso.COM ', { domain: 'contoso.com' }],
  ['müller.example', { domain: 'xn--mller-kva.example' }],
  [ID.toUpperCase(), { id: ID }],
])('%j is a tenant', (text, found) => {
  expect(tenantOrDomain(text)).toEqual(found);
});

test.each([
  '',
  'contoso',
  'a@contoso.com',
  'contoso.com/x',
  '../contoso.com',
  'https://contoso.com',
  `${ID}0`,
])('%j is none', (text) => {
  expect(() => tenantOrDomain(text)).toThrow(expect.objectContaining({ code: 'domain-invalid' }) as Error);
});

test('the address of the consent is that of the cloud', () => {
  expect(consentAddress({ tenantId: ID, clientId: 'app', cloud: CLOUDS.usgov })).toBe(
    `https://login.microsoftonline.us/${ID}/adminconsent?client_id=app`,
  );
});
