import { dirname, resolve } from 'node:path';
import { styleText } from 'node:util';
import { Archive } from '../../lambda/archive/archive.ts';
import { inParallel } from '../../lambda/archive/columns/parallel.ts';
import { openStore } from '../../lambda/archive/open-store.ts';
import { count } from '../../lambda/report/format.ts';
import { parseTenantsFile, readTenantsText, tenantsFileOf } from '../../lambda/tenants-file.ts';
import { locationOf } from '../shared/archive-place.ts';
import type { Command } from '../shared/command.ts';
import { EXIT } from '../shared/exit.ts';
import { loadConfig, readConfig } from '../shared/load-config.ts';
import { OPTIONS } from '../shared/options.ts';
import { plainTable } from '../shared/plain-table.ts';

interface ListFlags {
  config: string;
  archive?: string;
  deployed?: boolean;
  stack?: string;
  json: boolean;
}

/** `secure-score tenant list`. */
export const list: Command<ListFlags> = {
  flags: (yargs) =>
    yargs
      .option('config', OPTIONS.config)
      .option('archive', OPTIONS.archive)
      .option('deployed', { type: 'boolean', describe: "The deployment's archive" })
      .option('stack', OPTIONS.stack)
      .option('json', OPTIONS.json)
      .conflicts('archive', ['deployed', 'stack']),
  examples: [['tenant list', '']],
  act,
};

async function act(flags: ListFlags): Promise<number> {
  const config = await loadConfig(flags.config);
  const domains = await domainsOf(flags.config);
  const store = await openStore(await locationOf(flags, config));
  const listed = await inParallel(config.tenants, async ({ tenantId, name, tags }) => {
    // A list is worth having without what an archive adds.
    const state = await new Archive(store, tenantId).state().then(
      (found) => found.state,
      () => null,
    );
    return {
      name,
      tenant: tenantId,
      domain: domains.get(tenantId) ?? null,
      tags,
      lastSnapshot: state?.lastRun?.newest ?? state?.cursor?.date ?? null,
    };
  });
  if (flags.json) console.log(JSON.stringify(listed, null, 2));
  else {
    const rows = listed.map((each) => [
      each.name,
      each.tenant,
      each.domain ?? '–',
      each.tags.join(' ') || '–',
      each.lastSnapshot ?? '–',
    ]);
    console.log(plainTable(rows, { headings: ['tenant', 'id', 'domain', 'tags', 'last snapshot'] }));
    console.log(
      styleText('dim', `\n${count(listed.length, 'tenant')}; last snapshots from ${store.location}`),
    );
  }
  return EXIT.done;
}

/** By id. The config's own list has no domains. */
async function domainsOf(path: string): Promise<Map<string, string>> {
  const from = tenantsFileOf(await readConfig(path));
  if (from === undefined) return new Map();
  const { rows } = parseTenantsFile(readTenantsText(resolve(dirname(path), from)), from);
  return new Map(
    rows.flatMap(({ tenant, domain }): [string, string][] =>
      domain === undefined ? [] : [[String(tenant['tenantId']).toLowerCase(), domain]],
    ),
  );
}
