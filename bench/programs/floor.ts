import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { measured } from '../measure.ts';
import { readTask } from './task.ts';

/** The least that a run can do: the same requests, and what they answer parsed, gzipped and written. */
const { tenantId, authorityHost, graphEndpoint, folder, days } = readTask();
const compress = promisify(gzip);

interface List {
  value: unknown[];
  '@odata.nextLink'?: string;
}

await measured(async () => {
  const authority = `${authorityHost}/${tenantId}`;
  await fetchJson(`${authority}/v2.0/.well-known/openid-configuration`);
  const { access_token: token } = await fetchJson<{ access_token: string }>(
    `${authority}/oauth2/v2.0/token`,
    { method: 'POST', body: 'grant_type=client_credentials' },
  );
  const init = { headers: { authorization: `Bearer ${token}` } };

  const security = `${graphEndpoint}/v1.0/security`;
  const scores = await fetchJson<List>(`${security}/secureScores?$top=${days}`, init);
  const profiles: unknown[] = [];
  let next: string | undefined = `${security}/secureScoreControlProfiles`;
  while (next) {
    const page: List = await fetchJson<List>(next, init);
    profiles.push(...page.value);
    next = page['@odata.nextLink'];
  }

  await mkdir(folder, { recursive: true });
  const objects = [profiles, ...scores.value];
  for (const [index, object] of objects.entries()) {
    await writeFile(join(folder, `${index}.json.gz`), await compress(JSON.stringify(object)));
  }
});

async function fetchJson<Body>(url: string, init?: RequestInit): Promise<Body> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${response.status} from ${url}`);
  return (await response.json()) as Body;
}
