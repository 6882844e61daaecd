import { once } from 'node:events';
import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { SMTPServer } from 'smtp-server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createServerCertificate } from '../../simulator/certificates.ts';
import { CLIENT_ID, practise, secureScore, type Practice } from './support.ts';

/** What a machine does by itself, day after day, without AWS. */

const TODAY = new Date().toISOString().slice(0, 10);
const UNKNOWN = '99999999-0000-4000-8000-000000000009';

let practice: Practice;
let archive: string;
const closing: (() => void)[] = [];
beforeEach(async () => {
  practice = await practise(TODAY);
  archive = join(practice.folder, 'archive');
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  vi.unstubAllEnvs();
  await practice.end();
});

const local = () => ['--config', practice.config, '--certificate', practice.pem, '--archive', archive];
const run = (...more: string[]) =>
  secureScore('run', ...local(), '--outbox', join(practice.folder, 'mails'), ...more);

/** Of a second tenant, which Entra ID does not know. */
async function withStranger(fields: object = {}) {
  const { authorityHost, graphEndpoint } = practice.simulator;
  const tenant = (name: string, tenantId: string) => ({
    name,
    tenantId,
    clientId: CLIENT_ID,
    cloud: { authorityHost, graphEndpoint },
    recipients: ['secops@contoso.com'],
  });
  await practice.writeConfig({
    tenants: [tenant('Fabrikam', UNKNOWN), tenant('Contoso', practice.tenantId)],
    ...fields,
  });
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe('tenants side by side', () => {
  it('are printed in the order of the config, whichever finishes first', async () => {
    await withStranger();
    const { code, json } = await run('--json', '--parallel', '2');
    expect(code).toBe(1);
    expect(json()).toMatchObject([
      { name: 'Fabrikam', error: { code: expect.any(String) } },
      { name: 'Contoso', score: { date: TODAY } },
    ]);
  });

  it.each(['0', '33', '1.5', 'many'])('are not %s', async (parallel) => {
    const { code, stderr } = await run('--parallel', parallel);
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--parallel must be a whole number from 1 to 32.'),
    });
  });
});

describe('the heartbeat', () => {
  async function pulse(answer: RequestListener = (_request, response) => response.end()) {
    const beats: (string | undefined)[] = [];
    const port = await listen(
      createServer((request, response) => {
        beats.push(request.url);
        answer(request, response);
      }),
    );
    return { beats, heartbeat: { url: `http://127.0.0.1:${port}/key-of-the-switch` } };
  }

  it('is fetched only after a run that succeeded for every tenant', async () => {
    const { beats, heartbeat } = await pulse();
    await withStranger({ heartbeat });
    expect((await run()).code).toBe(1);
    expect((await run('--tenant', 'contoso')).code).toBe(0);
    expect(beats).toEqual([]);
    await practice.writeConfig({ heartbeat });
    expect((await run()).code).toBe(0);
    expect(beats).toEqual(['/key-of-the-switch']);
  });

  it('that fails is reported, without its address, and fails no run', async () => {
    const { heartbeat } = await pulse((_request, response) => response.writeHead(404).end());
    await practice.writeConfig({ heartbeat });
    const { code, stderr } = await run();
    expect(code).toBe(0);
    expect(stderr).toMatch(/its heartbeat at 127\.0\.0\.1:\d+ failed: it answers 404/);
    expect(stderr).not.toContain('key-of-the-switch');
  });
});

describe('mails by SMTP', () => {
  it('carry those of a run, and the test mail of doctor --send', async () => {
    const { privateKey: key, certificate: cert } = await createServerCertificate();
    setDefaultCACertificates([...getCACertificates('default'), cert]);
    const mails: string[] = [];
    const smtp = new SMTPServer({
      key,
      cert,
      onAuth: ({ password }, _session, done) =>
        password === 'from the environment' ? done(null, { user: 'monitor' }) : done(new Error('no')),
      async onData(stream, _session, done) {
        mails.push(await text(stream));
        done();
      },
    });
    const server = smtp.listen(0, '127.0.0.1') as Server;
    closing.push(() => smtp.close());
    if (!server.listening) await once(server, 'listening');
    await practice.writeConfig({
      mail: {
        from: 'Secure Score <secure-score@contoso.com>',
        smtp: {
          host: 'localhost',
          port: (server.address() as AddressInfo).port,
          user: 'monitor',
          password: { env: 'TEST_SMTP_PASSWORD' },
        },
      },
    });
    const unset = await secureScore('run', ...local());
    expect(unset).toMatchObject({ code: 1, stderr: expect.stringContaining('TEST_SMTP_PASSWORD') });

    vi.stubEnv('TEST_SMTP_PASSWORD', 'from the environment');
    expect((await secureScore('run', ...local())).code).toBe(0);
    expect(mails).toHaveLength(1);
    const doctor = await secureScore('doctor', ...local(), '--send');
    expect(doctor.stdout).toMatch(/✓ SMTP {15}localhost:\d+ speaks STARTTLS, and lets monitor in/);
    expect(doctor.code).toBe(0);
    expect(mails).toHaveLength(2);
    expect(mails[1]).toContain('Subject: Secure Score monitor: a test mail');
  });
});

describe('an SMTP server that takes no mail', () => {
  /** Takes mails over STARTTLS, or offers none and takes no mail. */
  async function smtp({ startTls, port = 0 }: { startTls: boolean; port?: number }) {
    const { privateKey: key, certificate: cert } = await createServerCertificate();
    setDefaultCACertificates([...getCACertificates('default'), cert]);
    const mails: string[] = [];
    const server = new SMTPServer({
      key,
      cert,
      authOptional: true,
      ...(startTls ? {} : { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] }),
      async onData(stream, _session, done) {
        mails.push(await text(stream));
        done();
      },
    });
    const listener = server.listen(port, '127.0.0.1') as Server;
    if (!listener.listening) await once(listener, 'listening');
    const close = () => new Promise<void>((done) => server.close(() => done()));
    closing.push(() => void close());
    return { mails, close, port: (listener.address() as AddressInfo).port };
  }

  it.each([
    ['is not there', false, /ECONNREFUSED/, 'Check mail.smtp.host and port, and whether the server runs.'],
    ['offers no STARTTLS', true, /STARTTLS/, 'Mails and passwords are sent only over TLS.'],
  ])(
    'because it %s: a run reports it and sends no heartbeat, and the next one sends the mail, once',
    async (...of) => {
      const [, isThere, why, advice] = of;
      let beats = 0;
      const heart = await listen(createServer((_request, response) => response.end(String((beats += 1)))));
      const refusing = await smtp({ startTls: false });
      const { port } = refusing;
      if (!isThere) await refusing.close();
      await practice.writeConfig({
        mail: { from: 'secure-score@contoso.com', smtp: { host: 'localhost', port } },
        heartbeat: { url: `http://127.0.0.1:${heart}/` },
      });
      const deliver = () => secureScore('run', ...local());

      const { stdout, stderr } = await deliver();
      const waits = stdout.split('\n').filter((line) => line.includes('… waits'));
      expect(waits[0]).toMatch(
        /^ {2}… waits {2}start → mail: The SMTP server localhost:\d+ did not take the mail/,
      );
      for (const line of waits) expect(line).toMatch(why);
      expect(stderr).toContain(advice);
      expect(stderr).toContain('no heartbeat');
      expect([refusing.mails, beats]).toEqual([[], 0]);

      await refusing.close();
      const taking = await smtp({ startTls: true, port });
      const next = await deliver();
      expect([next.code, next.stdout]).toEqual([0, expect.not.stringContaining('waits')]);
      expect(taking.mails).toHaveLength(waits.length);
      expect(taking.mails.filter((mail) => /monitoring has started/.test(mail))).toHaveLength(1);
      expect(beats).toBe(1);
      expect((await deliver()).code).toBe(0);
      expect(taking.mails).toHaveLength(waits.length);
    },
  );
});

describe('secure-score watch', () => {
  it('mails operations once about tenants without a run, and not about those that ran', async () => {
    await withStranger();
    expect((await run('--tenant', 'Contoso')).code).toBe(0);
    const outbox = join(practice.folder, 'watched');
    const watch = (...more: string[]) =>
      secureScore('watch', '--config', practice.config, '--archive', archive, '--outbox', outbox, ...more);
    const { code, json } = await watch('--json');
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      watched: 2,
      overdue: [{ tenant: UNKNOWN, lastRun: null }],
      stale: [],
      mails: [{ kind: 'operations', to: ['oncall@contoso.com'] }],
    });
    const again = await watch();
    expect(again.stdout).toMatch(/2 tenants watched\n {2}✗ without a successful run for 30 hours: Fabrikam/);
    expect(await readdir(outbox)).toHaveLength(1);
  });
});

describe('what is written', () => {
  it('is readable by its owner alone', async () => {
    await mkdir(practice.folder, { recursive: true });
    await chmod(practice.folder, 0o755);
    expect((await run()).code).toBe(0);
    const entries = await readdir(practice.folder, { recursive: true });
    const written = entries.filter((entry) => /^(archive|mails)/.test(entry));
    expect(written.length).toBeGreaterThan(10);
    for (const entry of written) {
      const { mode } = await stat(join(practice.folder, entry));
      expect({ entry, others: (mode & 0o077).toString(8) }).toEqual({ entry, others: '0' });
    }
  });
});
