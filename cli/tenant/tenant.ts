import type { CommandModule } from 'yargs';
import { lazily } from '../shared/command.ts';

/** `secure-score tenant`: the tenants of a file, one a row. */
export function tenantCommand(exit: (code: number) => void): CommandModule {
  const add = lazily(
    exit,
    'add <tenant>',
    'Add a tenant by its domain or id: wait for its consent, check it, write its row',
    () => import('./add.ts').then((file) => file.add),
  );
  const list = lazily(exit, 'list', 'List the tenants with their tags and last snapshots', () =>
    import('./list.ts').then((file) => file.list),
  );
  const check = lazily(exit, 'check', 'Check all tenants as doctor does, in one table', () =>
    import('./check.ts').then((file) => file.check),
  );
  const remove = lazily(exit, 'remove <tenant>', 'Remove the row of a tenant; its archive stays', () =>
    import('./remove.ts').then((file) => file.remove),
  );
  return {
    command: 'tenant',
    describe: 'Add, list, check and remove tenants',
    builder: (yargs) =>
      yargs
        .command(add)
        .command(list)
        .command(check)
        .command(remove)
        .demandCommand(1, 'Name a command: tenant add, list, check or remove.'),
    handler: () => {},
  };
}
