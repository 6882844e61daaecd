import {
  AccountSuspendedException,
  BadRequestException,
  LimitExceededException,
  MailFromDomainNotVerifiedException,
  MessageRejected,
  NotFoundException,
  SendEmailCommand,
  SendingPausedException,
  SESv2Client,
  TooManyRequestsException,
} from '@aws-sdk/client-sesv2';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { sesMailer } from '../../lambda/channels/ses-mailer.ts';
import { ATTACHMENTS, HOSTILE_ADDRESSES, mailOf } from './mails.ts';

const ses = mockClient(SESv2Client);
afterAll(() => ses.restore());
const client = new SESv2Client({ region: 'eu-central-1' });
const mailer = sesMailer({ client, configurationSet: 'secure-score-monitor' });

beforeEach(() => {
  ses.reset();
  ses.on(SendEmailCommand).resolves({ MessageId: '0100-ses' });
});

test('sends both parts to all recipients, through the configuration set, and returns the id', async () => {
  const mail = mailOf();
  await expect(mailer.send(mail)).resolves.toBe('0100-ses');
  expect(ses.commandCalls(SendEmailCommand).map((call) => call.args[0].input)).toEqual([
    {
      FromEmailAddress: '"Secure Score" <secure-score@contoso.com>',
      Destination: { ToAddresses: ['secops@contoso.com', 'ciso@contoso.com'] },
      ConfigurationSetName: 'secure-score-monitor',
      Content: {
        Simple: {
          Subject: { Data: mail.subject, Charset: 'UTF-8' },
          Body: { Html: { Data: mail.html, Charset: 'UTF-8' }, Text: { Data: mail.text, Charset: 'UTF-8' } },
          Headers: [{ Name: 'Auto-Submitted', Value: 'auto-generated' }],
        },
      },
    },
  ]);
});

test('attaches files, and pictures that the HTML shows', async () => {
  await mailer.send(mailOf({ attachments: ATTACHMENTS }));
  const input = ses.commandCalls(SendEmailCommand)[0]?.args[0].input;
  expect(input?.Content?.Simple?.Attachments).toEqual([
    {
      FileName: 'score.png',
      ContentType: 'image/png',
      RawContent: ATTACHMENTS[0]!.content,
      ContentTransferEncoding: 'BASE64',
      ContentDisposition: 'INLINE',
      ContentId: 'score@secure-score-monitor',
    },
    {
      FileName: 'Änderungen.csv',
      ContentType: 'text/csv; charset=utf-8',
      RawContent: ATTACHMENTS[1]!.content,
      ContentTransferEncoding: 'BASE64',
      ContentDisposition: 'ATTACHMENT',
    },
  ]);
});

test('an urgent mail has high importance', async () => {
  await mailer.send(mailOf({ urgent: true }));
  expect(ses.commandCalls(SendEmailCommand)[0]?.args[0].input.Content?.Simple?.Headers).toEqual([
    { Name: 'Auto-Submitted', Value: 'auto-generated' },
    { Name: 'Importance', Value: 'high' },
    { Name: 'X-Priority', Value: '1 (Highest)' },
  ]);
});

test('a name that is not ASCII is encoded, a subject is one line', async () => {
  await mailer.send(mailOf({ from: 'Müller <a@contoso.com>', subject: 'A\r\nBcc: x@evil.example\u202E −' }));
  const input = ses.commandCalls(SendEmailCommand)[0]?.args[0].input;
  expect(input?.FromEmailAddress).toBe('=?UTF-8?B?TcO8bGxlcg==?= <a@contoso.com>');
  expect(input?.Content?.Simple?.Subject?.Data).toBe('A Bcc: x@evil.example −');
});

test.each(HOSTILE_ADDRESSES)('nothing is sent from or to %j', async (address) => {
  await expect(mailer.send(mailOf({ from: address }))).rejects.toMatchObject({
    code: 'mail-address-invalid',
  });
  await expect(mailer.send(mailOf({ to: ['a@contoso.com', address] }))).rejects.toMatchObject({
    code: 'mail-address-invalid',
  });
  expect(ses.calls()).toEqual([]);
});

const aws = (name: string, status: number): Error =>
  Object.assign(new Error('no'), { name, $metadata: { httpStatusCode: status } });
const fault = { message: 'Email address is not verified.\r\nX: y', $metadata: {} };

test.each<[error: Error, code: string, retryable: boolean, advice: RegExp]>([
  [new MessageRejected(fault), 'mail-rejected', false, /sandbox/],
  [new MailFromDomainNotVerifiedException(fault), 'mail-domain-unverified', false, /DNS/],
  [new AccountSuspendedException(fault), 'mail-suspended', false, /AWS Support/],
  [new SendingPausedException(fault), 'mail-paused', false, /resume/],
  [new NotFoundException(fault), 'mail-configuration-set-missing', false, /"secure-score-monitor"/],
  [new BadRequestException(fault), 'mail-refused', false, /config/],
  ...["Missing final '@domain'", 'Domain contains dot-dot', 'Illegal address'].map(
    (message): [Error, string, boolean, RegExp] => [
      new BadRequestException({ message, $metadata: {} }),
      'mail-address-refused',
      false,
      /config/,
    ],
  ),
  [new TooManyRequestsException(fault), 'mail-throttled', true, /quota/],
  [new LimitExceededException(fault), 'mail-throttled', true, /quota/],
  [Object.assign(new Error('no'), { name: 'AccessDeniedException' }), 'mail-denied', false, /ses:SendEmail/],
  [
    Object.assign(new Error('no'), { name: 'CredentialsProviderError' }),
    'mail-not-configured',
    false,
    /--outbox/,
  ],
  [aws('InvalidSignatureException', 403), 'mail-not-configured', false, /credentials/],
  [aws('ExpiredToken', 403), 'mail-not-configured', false, /credentials/],
  [aws('ValidationException', 400), 'mail-refused', false, /ValidationException/],
  [aws('ThrottlingException', 400), 'mail-throttled', true, /quota/],
  [aws('ServiceUnavailable', 503), 'mail-failed', true, /reached/],
  [aws('RequestTimeoutException', 400), 'mail-failed', true, /reached/],
  [new Error('Region is missing'), 'mail-not-configured', false, /AWS_REGION/],
  [
    Object.assign(new Error('connect ECONNREFUSED'), { name: 'TimeoutError' }),
    'mail-failed',
    true,
    /reached/,
  ],
])('fault %# becomes an error that a person can act on', async (error, code, retryable, advice) => {
  ses.on(SendEmailCommand).rejects(error);
  await expect(mailer.send(mailOf())).rejects.toMatchObject({
    name: 'MonitorError',
    code,
    retryable,
    advice: expect.stringMatching(advice),
    message: expect.not.stringMatching(/[\r\n]/),
    cause: error,
  });
});
