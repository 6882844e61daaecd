import type { CommandModule } from 'yargs';
import { lazily } from '../shared/command.ts';

/** `secure-score certificate`: the certificate that the app signs in with. */
export function certificateCommand(exit: (code: number) => void): CommandModule {
  const create = lazily(
    exit,
    'create',
    'Create a private key and a certificate for the app registration',
    () => import('./create.ts').then((file) => file.create),
  );
  const put = lazily(
    exit,
    'put [certificate]',
    'Put certificate and key into the secret of the deployment',
    () => import('./put.ts').then((file) => file.put),
  );
  const status = lazily(
    exit,
    'status [certificate]',
    'Show dates, thumbprints and days left of certificates',
    () => import('./status.ts').then((file) => file.status),
  );
  const rotate = lazily(
    exit,
    'rotate',
    'Renew what is due, and remove old keys: what a deployment does daily',
    () => import('./rotate.ts').then((file) => file.rotateCommand),
  );
  return {
    command: 'certificate',
    describe: 'Make, deploy and watch the certificate that signs in',
    builder: (yargs) =>
      yargs
        .command(create)
        .command(put)
        .command(status)
        .command(rotate)
        .demandCommand(1, 'Name a command: certificate create, put, status or rotate.'),
    handler: () => {},
  };
}
