import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCertificate } from '../simulator/certificates.ts';
import type { Measurement } from './measure.ts';
import { measure, startServer } from './processes.ts';
import type { Task } from './programs/task.ts';

export interface Runs {
  /** One run of a program, on a copy of an archive if one is given. What it writes is removed, or kept under a name. */
  runOf: (
    program: string,
    day: 'first' | 'next',
    options?: { on?: string; keep?: string },
  ) => Promise<Measurement>;
  stop: () => void;
}

/** Starts what a run talks to. @param folder for what runs write */
export async function startRuns(folder: string): Promise<Runs> {
  const server = await startServer();
  const { tenantId, clientId, authorityHost, graphEndpoints } = server;
  const trusted = join(folder, 'ca.pem');
  const certificate = join(folder, 'app.pem');
  const app = await createCertificate({ commonName: 'bench', days: 30 });
  await writeFile(trusted, server.ca);
  await writeFile(certificate, app.certificate + app.privateKey);
  return {
    runOf: async (program, day, { on, keep } = {}) => {
      const work = join(folder, keep ?? 'run');
      if (on !== undefined) await cp(join(folder, on), work, { recursive: true });
      const graphEndpoint = graphEndpoints[day];
      const days = day === 'first' ? 90 : 8;
      const task: Task = {
        tenantId,
        clientId,
        authorityHost,
        graphEndpoint,
        certificate,
        folder: work,
        days,
      };
      const measurement = await measure(program, JSON.stringify(task), { NODE_EXTRA_CA_CERTS: trusted });
      if (keep === undefined) await rm(work, { recursive: true });
      return measurement;
    },
    stop: () => server.process.kill(),
  };
}
