import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addDays } from '../../lambda/dates.ts';
import { forbidden } from '../../simulator/faults.ts';
import { practiceTenant } from '../../simulator/practice-tenant.ts';
import {
  app,
  archived,
  configOf,
  DAY_90,
  end,
  FLAGS,
  folder,
  mails,
  OTHER_TENANT,
  run,
  runHere,
  simulate,
  simulateForEach,
  simulator,
  start,
  tenant,
  tenantEntry,
  writeConfig,
} from './run-support.ts';

/**
 * The real command against the simulator over TLS: no fakes. It has a process of its own where the process is what is
 * tested (its start, its death, two at once), and is called in this one where its result is.
 */

simulateForEach();

describe('secure-score run', () => {
  it('archives, compares and mails, day after day, and prints exactly the result of the contract', async () => {
    await end();
    const practice = practiceTenant({ today: DAY_90 });
    await simulate(practice);
    const first = await run();
    expect(first.code).toBe(0);
    expect(Object.keys(first.result)).toEqual([
      'tenant',
      'name',
      'archived',
      'score',
      'changes',
      'explanation',
      'mails',
      'pending',
      'deliveries',
    ]);
    expect(first.result).toMatchObject({
      tenant: tenant.tenantId,
      name: 'Contoso',
      changes: [],
      pending: [],
    });
    expect(first.result.archived.at(-1)).toBe(DAY_90);
    expect(Object.keys(first.result.score)).toEqual(['date', 'points', 'maximum', 'percentage']);
    const { points, maximum, percentage } = first.result.score;
    expect(percentage).toBe((100 * points) / maximum);
    expect(first.result.mails).toMatchObject([
      { kind: 'start', to: ['scores@contoso.com', 'controls@contoso.com'] },
    ]);

    const again = await runHere();
    expect(again.code).toBe(0);
    expect(again.result).toMatchObject({ archived: [], changes: [], mails: [], pending: [] });

    simulator.advance();
    const second = await runHere();
    expect(second.code).toBe(0);
    expect(second.result.archived).toEqual([addDays(DAY_90, 1)]);
    const lost = practice.events
      .filter(({ day, kind }) => day === 91 && kind === 'lost')
      .map(({ control }) => control);
    expect(lost.length).toBeGreaterThan(0);
    for (const control of lost) {
      const change = second.result.changes.find((row: { control: string }) => row.control === control);
      expect(Object.keys(change)).toEqual([
        'kind',
        'control',
        'title',
        'category',
        'date',
        'previousDate',
        'points',
        'maximum',
        'percentagePoints',
        'cause',
      ]);
      expect(change).toMatchObject({ kind: 'lost', date: addDays(DAY_90, 1), previousDate: DAY_90 });
      expect(change.points.after).toBeLessThan(change.points.before);
    }

    const sent = await mails();
    const listed = [...first.result.mails, ...second.result.mails] as { subject: string; id: string }[];
    expect(new Set(sent.map(({ subject }) => subject))).toEqual(
      new Set(listed.map(({ subject }) => subject)),
    );
    expect(new Set(sent.map(({ messageId }) => messageId))).toEqual(new Set(listed.map(({ id }) => id)));
  }, 30_000);

  it('runs the tenants in turn: one that fails does not stop the others, and the exit code shows it', async () => {
    await writeConfig('config.json', [
      tenantEntry('Nobody', OTHER_TENANT),
      tenantEntry('Contoso', tenant.tenantId),
    ]);
    const { code, result, stderr } = await run();
    expect(code).toBe(1);
    expect(result).toMatchObject([
      { tenant: OTHER_TENANT, name: 'Nobody', error: { code: 'tenant-not-found' } },
      { tenant: tenant.tenantId, mails: [{ kind: 'start' }] },
    ]);
    expect(Object.keys(result[0])).toEqual(['tenant', 'name', 'error']);
    expect(Object.keys(result[0].error)).toEqual(['code', 'message', 'advice']);
    const logged = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(logged).toContainEqual(expect.objectContaining({ level: 'error', code: 'tenant-not-found' }));

    const one = await runHere('--tenant', 'contoso'.replace('c', 'C'));
    expect(one.code).toBe(0);
    expect(one.result).toMatchObject({ name: 'Contoso', mails: [] });
  }, 30_000);

  it('reveals nothing secret, whatever fails', async () => {
    simulator.fault({ at: 'secureScores', times: Infinity, with: forbidden });
    const { code, stdout, stderr } = await run();
    expect(code).toBe(1);
    const bodyOfKey = app.privateKey.split('\n').slice(1, 4);
    const sent = (await mails()).map((mail) => `${mail.text}${mail.html}`).join('\n');
    const stored = (await Promise.all((await archived()).map((file) => readFile(file, 'latin1')))).join('\n');
    for (const text of [stdout, stderr, sent, stored]) {
      for (const line of bodyOfKey) expect(text).not.toContain(line);
      expect(text).not.toMatch(/eyJ[\w-]{20,}/);
    }
  }, 30_000);

  it('accepts a config in TypeScript with defineConfig, or a plain object, from any path', async () => {
    const plain = `export default ${JSON.stringify(configOf([tenantEntry('Contoso', tenant.tenantId)]))}`;
    await writeFile(join(folder, 'plain.ts'), `${plain} satisfies object;`);
    await writeFile(join(folder, 'plain.mjs'), plain);
    for (const path of ['plain.ts', join(folder, 'plain.mjs')]) {
      const { code, stdout } = await start(...FLAGS, '--config', path, '--json').finished;
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ name: 'Contoso' });
    }
  }, 30_000);
});
