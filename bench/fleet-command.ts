import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RunResult } from '../lambda/run/run.ts';
import type { Fleet, FleetWorld } from './fleet-world.ts';
import type { Measurement } from './measure.ts';

/** The fleet on one machine: `secure-score run --parallel`, with a folder as archive and mails as files. */
export function commandFleet(world: FleetWorld, folder: string, parallel: number): Fleet {
  const archive = join(folder, 'archive');
  const outbox = join(folder, 'mails');
  const count = (path: string, ending: string): number =>
    readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending)).length;
  return {
    async morning() {
      const command = join(import.meta.dirname, 'programs/command.ts');
      const signIn = ['--config', world.config, '--certificate', world.pem];
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [
          command,
          'run',
          ...signIn,
          '--archive',
          archive,
          '--outbox',
          outbox,
          '--parallel',
          `${parallel}`,
          '--json',
        ],
        { env: { ...process.env, NODE_EXTRA_CA_CERTS: world.ca }, maxBuffer: 2 ** 30 },
      );
      const lines = stdout.trimEnd().split('\n');
      const took = JSON.parse(lines.pop()!) as Measurement;
      return { results: JSON.parse(lines.join('\n')) as RunResult[], processes: [took] };
    },
    stored: async () => count(join(archive, 'snapshots'), '.json.gz'),
    sent: async () => count(outbox, '.eml'),
    stop: async () => {},
  };
}
