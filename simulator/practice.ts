/**
 * `npm start`: the whole monitor on a practice tenant. A first run on 90 days of history, then ten more days, one run
 * each, as the schedule would do. Real code on real wire formats; only Microsoft is simulated, and the calendar.
 */
import { readdir, rm, writeFile, mkdir } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import tls from 'node:tls';
import { styleText } from 'node:util';
import { describeResult } from '../cli/present.ts';
import { folderStore } from '../lambda/archive/folder-store.ts';
import { pemFileSource } from '../lambda/certificate/pem-file.ts';
import { parseConfig } from '../lambda/config.ts';
import { addDays, dateOf } from '../lambda/dates.ts';
import { graphClient } from '../lambda/graph/client.ts';
import { outboxMailer } from '../lambda/mail/outbox-mailer.ts';
import { monitor } from '../lambda/monitor.ts';
import { noMetrics } from '../lambda/no-metrics.ts';
import { day } from '../lambda/report/format.ts';
import { createCertificate } from './certificates.ts';
import { practiceTenant } from './practice-tenant.ts';
import { startSimulator } from './server.ts';

const DAYS_TO_WATCH = 10;
const RUN_MS = 60_000;

const root = resolve(import.meta.dirname, '../practice');
const paths = {
  certificate: resolve(root, 'certificate.pem'),
  archive: resolve(root, 'archive'),
  mails: resolve(root, 'mails'),
};
const shown = (path: string) => styleText('cyan', `./${relative(process.cwd(), path)}`);
const heading = (text: string) => console.log(`\n${styleText(['bold', 'inverse'], ` ${text} `)}`);

const started = performance.now();
console.log(
  styleText('bold', 'Secure Score monitor: practice run') +
    '\nMicrosoft is simulated on this machine; everything else is what runs for your own tenants.\n',
);

for (const path of Object.values(paths)) await rm(path, { recursive: true, force: true });
await mkdir(root, { recursive: true });

// The app registration's certificate, as an administrator would make it and upload its public part to Entra ID.
const app = await createCertificate({
  commonName: 'secure-score-practice',
  days: 365,
  notBefore: new Date(Date.now() - 30 * 86_400_000),
});
await writeFile(paths.certificate, app.certificate + app.privateKey, { mode: 0o600 });
console.log(`✓ certificate made        ${shown(paths.certificate)}`);

const today = dateOf(new Date());
const tenant = practiceTenant({ today: addDays(today, -DAYS_TO_WATCH) });
const simulator = await startSimulator({ tenants: [tenant] });
try {
  // What NODE_EXTRA_CA_CERTS does for a process that has not started yet.
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), simulator.ca]);
  const clientId = '6f1d3a52-97b1-4c0b-8a3e-2f5d1c7e9b40';
  simulator.registerApp({ tenantId: tenant.tenantId, clientId, certificates: [app.certificate] });
  console.log(
    `✓ Entra ID and Graph      ${styleText('cyan', simulator.graphEndpoint)} (simulated, ends with this command)`,
  );

  const { authorityHost, graphEndpoint } = simulator;
  const config = parseConfig(
    {
      tenants: [
        {
          name: 'Contoso',
          tenantId: tenant.tenantId,
          clientId,
          cloud: { authorityHost, graphEndpoint },
          recipients: ['secops@contoso.example'],
        },
      ],
      operations: ['oncall@contoso.example'],
      mail: { from: 'Secure Score <secure-score@contoso.example>' },
    },
    'the practice config',
  );
  const ports = {
    certificate: pemFileSource(paths.certificate),
    graph: graphClient(),
    store: folderStore(paths.archive),
    mailer: outboxMailer(paths.mails),
    log: { info: () => {}, warn: () => {}, error: () => {} },
    metrics: noMetrics,
  };

  let mails = 0;
  for (let index = 0; index <= DAYS_TO_WATCH; index += 1) {
    if (index > 0) simulator.advance();
    const now = new Date(`${tenant.today}T07:00:00Z`);
    heading(
      index === 0
        ? `${day(tenant.today)}: the first run`
        : `${day(tenant.today)}: day ${index} of ${DAYS_TO_WATCH}`,
    );
    const result = await monitor({
      tenant: config.tenants[0]!,
      sender: { from: config.mail.from, operations: config.operations },
      ports: {
        ...ports,
        clock: { now: () => now },
        invocation: { id: `practice-${index}`, deadline: new Date(Date.now() + RUN_MS) },
      },
    });
    console.log(describeResult(result));
    mails += result.mails.length;
  }

  heading('What there is now');
  console.log(`${mails} mails      ${shown(paths.mails)}  (open an .eml in any mail program)`);
  for (const file of (await readdir(paths.mails)).toSorted())
    console.log(styleText('dim', `             ${file}`));
  console.log(
    `The archive  ${shown(paths.archive)}  (every day as Microsoft sent it, and what was told of it)`,
  );
  heading('What to try next');
  console.log(`Ask the archive, or look at it:

  npx secure-score history losses --archive practice/archive
  npx secure-score history open --archive practice/archive

Your own tenant, on this machine, without any AWS:

  cp monitor.config.example.ts monitor.config.ts      # and fill it in
  npx secure-score run --certificate your.pem --archive archive --outbox mails

The README says how to register the app and make the certificate.`);
} finally {
  await simulator.close();
}
console.log(
  styleText(
    'dim',
    `\nDone in ${((performance.now() - started) / 1000).toFixed(1)} s; nothing is left running.`,
  ),
);
