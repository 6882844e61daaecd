import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { layout } from '../../lambda/archive/layout.ts';
import { Ledger } from '../../lambda/archive/ledger.ts';
import { monitor } from '../../lambda/monitor.ts';
import { fillDays, PEM, TENANT_ID, world } from '../run/fakes.ts';

/** docs/evidence.md, as an auditor would follow it. */

const document = readFileSync(path.join(import.meta.dirname, '../../docs/evidence.md'), 'utf8');
const [, script = ''] = /```bash\n([^]*?)```/.exec(document) ?? [];

const lacking = ['bash', 'jq', 'openssl', 'sha256sum', 'comm'].filter(
  (tool) => spawnSync(tool, ['--version']).error !== undefined,
);
if (lacking.length > 0)
  console.warn(`docs/evidence.md is not run: this machine lacks ${lacking.join(', ')}.`);

const root = await mkdtemp(path.join(tmpdir(), 'evidence-'));
afterAll(() => rm(root, { recursive: true }));

describe.skipIf(lacking.length > 0)('the commands of docs/evidence.md for an auditor', () => {
  const intact = path.join(root, 'intact');
  let folder: string;
  let head: string;
  beforeAll(async () => {
    const w = world('2026-03-01T07:00:00Z');
    w.graph.profiles = [{ id: 'alpha', title: 'Alpha', maxScore: 10 }];
    // The commands start several programs for each object.
    fillDays(w.graph, '2026-02-20', 2, { controls: { alpha: 8 } });
    for (const [today, alpha] of [
      ['2026-03-01', 7],
      ['2026-03-02', 3],
    ] as const) {
      w.clock.set(`${today}T07:00:00Z`);
      w.graph.days.set(today, { controls: { alpha } });
      const run = w.runOf();
      run.ports.store = folderStore(intact);
      await monitor(run);
    }
    head = (await new Ledger(folderStore(intact), TENANT_ID).read()).at(-1)!.hash;
    await writeFile(path.join(root, 'app.pem'), PEM);
  });
  beforeEach(async () => {
    folder = await mkdtemp(path.join(root, 'archive-'));
    await cp(intact, folder, { recursive: true });
  });

  const audit = () => {
    const { stdout, stderr } = spawnSync('bash', ['-c', script], {
      encoding: 'utf8',
      env: {
        ...process.env,
        LC_ALL: 'C',
        ARCHIVE: folder,
        TENANT: TENANT_ID,
        CERTIFICATE: path.join(root, 'app.pem'),
        HEAD: head.slice(0, 12),
      },
    });
    return `${stdout}${stderr}`;
  };
  const wrong = /BROKEN|NOT IN THE LEDGER|FORGED|FOREIGN|FAILED|No such file/;

  it('proves an intact archive', () => {
    const printed = audit();
    expect(printed).not.toMatch(wrong);
    expect(printed).toContain(`head ${head}`);
    expect(printed).toMatch(/objects: \d+/);
    expect(printed).toMatch(/2026-03-02 asked \S+\/2026-03-02, had .*2026-03-02/);
  });

  const first = (prefix: string) =>
    execFileSync('find', [path.join(folder, prefix), '-type', 'f'], { encoding: 'utf8' })
      .split('\n')
      .toSorted()
      .find(Boolean)!;
  it.each<[string, () => Promise<void>, RegExp]>([
    ['a snapshot that is gone', () => rm(first('snapshots')), /date=2026-02-20.*(FAILED|No such file)/],
    ['a report that was changed', () => writeFile(first('reports'), '{}'), /reports\/.*FAILED/],
    [
      'a snapshot that nobody archived',
      () => writeFile(path.join(path.dirname(first('snapshots')), 'forged.json.gz'), ''),
      /FOREIGN: snapshots\/.*forged/,
    ],
    [
      'an entry that is gone',
      () => rm(path.join(folder, layout.entry(TENANT_ID, 2))),
      /BROKEN before .*00000003/,
    ],
    [
      'an entry that was changed',
      async () => {
        const file = path.join(folder, layout.entry(TENANT_ID, 2));
        await writeFile(file, readFileSync(file, 'utf8').replace('2026-03-01', '2026-03-02'));
      },
      /BROKEN before .*00000003[^]*FORGED: .*00000002/,
    ],
    [
      'the newest entry that is gone, by the head of a mail',
      async () => {
        const entries = await new Ledger(folderStore(folder), TENANT_ID).read();
        await rm(path.join(folder, entries.at(-1)!.key));
      },
      /NOT IN THE LEDGER/,
    ],
  ])('finds %s', async (_, tamper, found) => {
    await tamper();
    expect(audit()).toMatch(found);
  });
});
