import { styleText } from 'node:util';
import { commandLine, shellWord } from '../../lambda/command-line.ts';
import { alike } from '../../lambda/characters.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import type { TenantRow } from '../../lambda/tenants-file.ts';
import type { Command } from '../shared/command.ts';
import { DEPLOY } from '../shared/deployment.ts';
import { EXIT } from '../shared/exit.ts';
import { asMonitorError } from '../shared/failure.ts';
import { loadConfig } from '../shared/load-config.ts';
import { OPTIONS } from '../shared/options.ts';
import { editPlace, readPlace, tenantsPlace, textOf, unknownTenant } from './file.ts';
import { withoutRow } from './rows.ts';

interface RemoveFlags {
  tenant?: string;
  config: string;
  json: boolean;
}

/** `secure-score tenant remove`. */
export const remove: Command<RemoveFlags> = {
  flags: (yargs) =>
    yargs
      .positional('tenant', { type: 'string', describe: 'Its name, id or domain' })
      .option('config', OPTIONS.config)
      .option('json', OPTIONS.json),
  examples: [['tenant remove Contoso', '']],
  act: async ({ tenant: wanted = '', config, json }) => {
    const place = await tenantsPlace(config);
    const find = (rows: readonly TenantRow[]): TenantRow => {
      const [row, ...more] = rows.filter((each) => isMeant(each, wanted));
      if (!row) throw unknownTenant(wanted, place);
      if (more.length === 0) return row;
      throw new MonitorError(
        'tenant-ambiguous',
        `${more.length + 1} rows of ${quote(place.name)} have the name or domain ${quote(wanted)}.`,
        'Give the id of the one to remove.',
      );
    };
    const row = find(readPlace(place).rows);
    await editPlace(place, `tenant remove ${wanted}`, (file) =>
      withoutRow(file, place.name, find(file.rows)),
    );
    // The last tenant of a tag that a digest or a channel picks leaves a config that no command takes.
    const fault = await loadConfig(config).then(() => null, asMonitorError);
    const id = textOf(row, 'tenantId');
    const name = textOf(row, 'name');
    console.log(
      json
        ? JSON.stringify({ tenant: id || null, name }, null, 2)
        : `✓ ${place.name} has no row of ${name} any more.
  Its archive stays, and questions by its id still find it${id && `:\n  ${commandLine(`history trend --tenant ${shellWord(id)}`)}`}
  A deployment goes on watching it until it is deployed again. ${DEPLOY}
  Its administrators can take back the consent: Entra admin center, Enterprise applications, the app, Delete.`,
    );
    if (fault) console.error(`${styleText('yellow', '!')} ${fault.message}\n→ ${fault.advice}`);
    return EXIT.done;
  },
};

function isMeant(row: TenantRow, wanted: string): boolean {
  return (
    alike(textOf(row, 'name')) === alike(wanted) ||
    [textOf(row, 'tenantId'), row.domain ?? ''].some((each) => each.toLowerCase() === wanted.toLowerCase())
  );
}
