import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { jsonLog } from '../../cli/shared/log.ts';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { pemFileSource } from '../../lambda/certificate/pem-file.ts';
import { deadlineIn, machineClock, pause } from '../../lambda/clock.ts';
import { unoptimised } from '../../lambda/cold-run.ts';
import { parseConfig } from '../../lambda/config.ts';
import { graphClient } from '../../lambda/graph/client.ts';
import { channelsOf } from '../../lambda/channels/channels.ts';
import { outboxMailer } from '../../lambda/channels/outbox-mailer.ts';
import { monitor } from '../../lambda/monitor.ts';
import { noMetrics } from '../../lambda/no-metrics.ts';
import { measured } from '../measure.ts';
import { readTask } from './task.ts';

/** One run on real ports: Graph, a folder as archive, a folder as outbox, a PEM file. */
const { tenantId, clientId, authorityHost, graphEndpoint, certificate, folder, days } = readTask();

await measured(async () => {
  const config = parseConfig(
    {
      tenants: [
        {
          name: 'Bench',
          tenantId,
          clientId,
          cloud: { authorityHost, graphEndpoint },
          recipients: ['bench@example.com'],
        },
      ],
      operations: ['bench@example.com'],
      mail: { from: 'bench@example.com' },
    },
    'bench',
  );
  const sender = { from: config.mail.from, operations: config.operations };
  const log = jsonLog((line) => console.error(line));
  // As the function makes its first run.
  const { archived, mails } = await unoptimised(() =>
    monitor({
      tenant: config.tenants[0]!,
      sender,
      ports: {
        clock: machineClock,
        pause,
        invocation: { id: randomUUID(), deadline: deadlineIn(machineClock, 60_000) },
        certificate: pemFileSource(certificate),
        graph: graphClient({ clock: machineClock }),
        store: folderStore(join(folder, 'archive')),
        channels: channelsOf({
          clock: machineClock,
          mailer: outboxMailer(join(folder, 'mails')),
          sender,
          log,
        }),
        log,
        metrics: noMetrics,
      },
    }),
  );
  // A run without findings would be measured too favourably.
  if (mails.length === 0 || archived.length !== (days === 90 ? 90 : 1)) {
    throw new Error(
      `archived ${archived.length} days and sent ${mails.length} mails: not the run to measure`,
    );
  }
});
