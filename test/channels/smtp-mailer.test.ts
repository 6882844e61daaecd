import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { text } from 'node:stream/consumers';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MonitorError } from '../../lambda/errors.ts';
import { smtpMailer } from '../../lambda/channels/smtp-mailer.ts';
import { createServerCertificate, type KeyPair } from '../../simulator/certificates.ts';
import { mailOf } from './mails.ts';

const PASSWORD = 'correct horse "battery" staple';
const variables = { SMTP_PASSWORD: PASSWORD };

let tls: KeyPair;
let running: { close(): void } | undefined;
beforeAll(async () => {
  tls = await createServerCertificate();
  setDefaultCACertificates([...getCACertificates('default'), tls.certificate]);
});
afterEach(() => running?.close());

/** A real SMTP server on loopback, and what it was given. */
async function server(options: SMTPServerOptions = {}) {
  const got: { from: string; to: string[]; mail: string; secure: boolean }[] = [];
  const smtp = new SMTPServer({
    key: tls.privateKey,
    cert: tls.certificate,
    onAuth({ username, password }, _session, done) {
      if (username === 'monitor' && password === PASSWORD) return done(null, { user: username });
      return done(new Error(`535 no such password: ${password}`));
    },
    async onData(stream, { envelope, secure }, done) {
      const { mailFrom, rcptTo } = envelope;
      got.push({
        from: mailFrom ? mailFrom.address : '',
        to: rcptTo.map((to) => to.address),
        mail: await text(stream),
        secure,
      });
      done();
    },
    logger: false,
    ...options,
  });
  running = { close: () => smtp.close() };
  const port = await listening(smtp.listen(0, '127.0.0.1'));
  const settings = {
    host: 'localhost',
    port,
    secure: options.secure ?? false,
    user: 'monitor',
    password: { env: 'SMTP_PASSWORD' },
  };
  return { got, settings };
}

async function listening(listener: Server): Promise<number> {
  if (!listener.listening) await once(listener, 'listening');
  return (listener.address() as AddressInfo).port;
}

const failure = (sending: Promise<unknown>): Promise<MonitorError> =>
  sending.then(
    () => Promise.reject(new Error('it was sent')),
    (error: unknown) => error as MonitorError,
  );

describe('the SMTP mailer', () => {
  it.each([true, false])('sends over TLS and signs in (from the beginning: %j)', async (secure) => {
    const { got, settings } = await server({ secure });
    const mail = mailOf();
    const id = await smtpMailer(settings, variables).send(mail);
    expect(got).toHaveLength(1);
    expect(got[0]).toMatchObject({
      from: 'secure-score@contoso.com',
      to: ['secops@contoso.com', 'ciso@contoso.com'],
      secure: true,
    });
    const parsed = await PostalMime.parse(got[0]!.mail);
    expect(parsed).toMatchObject({ subject: mail.subject, messageId: id, date: '2026-01-10T06:00:12.000Z' });
    expect(await smtpMailer(settings, variables).check()).toMatch(
      /^localhost:\d+ speaks .*, and lets monitor in$/,
    );
  });

  it('sends without a user if none is configured', async () => {
    const { got, settings } = await server({ authOptional: true });
    const { user: _, password: __, ...anonymous } = settings;
    await smtpMailer(anonymous, {}).send(mailOf());
    expect(got).toHaveLength(1);
  });

  it('sends nothing to a server that does not encrypt', async () => {
    const heard: string[] = [];
    const plain = createServer((socket) => {
      socket.write('220 plain\r\n');
      socket.on('data', (data) => {
        heard.push(String(data));
        socket.write(
          String(data).startsWith('EHLO') ? '250-plain\r\n250 AUTH PLAIN LOGIN\r\n' : '502 no\r\n',
        );
      });
      socket.on('error', () => {});
    }).listen(0, '127.0.0.1');
    running = plain;
    const settings = {
      host: '127.0.0.1',
      port: await listening(plain),
      secure: false,
      user: 'monitor',
      password: { env: 'SMTP_PASSWORD' },
    };
    const error = await failure(smtpMailer(settings, variables).send(mailOf()));
    expect(error).toMatchObject({ code: 'mail-not-encrypted', retryable: false });
    expect(heard.join('')).not.toMatch(/AUTH|MAIL FROM/);
    expect(heard.join('')).toMatch(/EHLO/);
  });

  it('sends nothing to a server whose certificate is not trusted', async () => {
    const stranger = await createServerCertificate();
    const { got, settings } = await server({ key: stranger.privateKey, cert: stranger.certificate });
    expect(await failure(smtpMailer(settings, variables).send(mailOf()))).toMatchObject({
      code: 'mail-not-encrypted',
      advice: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
    expect(got).toEqual([]);
  });

  it('says what to do if the server refuses, and never shows the password', async () => {
    const wrong = await server();
    const error = await failure(
      smtpMailer(wrong.settings, { SMTP_PASSWORD: 'hunter2-secret' }).send(mailOf()),
    );
    expect(error).toMatchObject({ code: 'mail-login-refused', retryable: false });
    expect(`${error.message}${error.advice}`).toContain('no such password: ***');
    running?.close();

    const full = await server({
      onRcptTo: (_to, _session, done) => done(Object.assign(new Error('full'), { responseCode: 452 })),
    });
    expect(await failure(smtpMailer(full.settings, variables).send(mailOf()))).toMatchObject({
      code: 'mail-failed',
      retryable: true,
    });
    running?.close();

    const unknown = await server({
      onRcptTo: (_to, _session, done) => done(Object.assign(new Error('unknown'), { responseCode: 550 })),
    });
    expect(await failure(smtpMailer(unknown.settings, variables).send(mailOf()))).toMatchObject({
      code: 'mail-refused',
      retryable: false,
    });
  });

  it('says which variable lacks the password, and does not wait for a server that does not listen', async () => {
    const { settings } = await server();
    expect(() => smtpMailer(settings, {})).toThrow('SMTP_PASSWORD');
    running?.close();
    const gone = await failure(smtpMailer({ ...settings, port: 1 }, variables).send(mailOf()));
    // Not retryable: a run does not pause for it, and the delivery stays in the outbox.
    expect(gone).toMatchObject({
      code: 'mail-unreachable',
      retryable: false,
      advice: expect.stringContaining('Check mail.smtp.host and port'),
    });
  });
});
