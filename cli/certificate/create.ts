import { rm, writeFile } from 'node:fs/promises';
import { styleText } from 'node:util';
import { day, readBundle, type Bundle } from '../../lambda/certificate/bundle.ts';
import { machineClock } from '../../lambda/clock.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import type { Command } from '../shared/command.ts';
import { EXIT, UsageError } from '../shared/exit.ts';
import { OPTIONS, text } from '../shared/options.ts';
import { createCertificate } from '../../lambda/certificate/self-signed.ts';
import { commandLine } from '../../lambda/command-line.ts';

/** Microsoft advises against long validity, and many tenants forbid it. */
const LONGEST_DAYS = 1095;

/** The clock of this machine may be ahead of Entra's, which would call a certificate of this minute not yet valid. */
const HEAD_START_MS = 10 * 60_000;

interface CreateFlags {
  name: string;
  days: number;
  bits: number;
  out: string;
  json: boolean;
}

export const create: Command<CreateFlags> = {
  flags: (yargs) =>
    yargs
      .option('name', {
        ...text('name'),
        default: 'secure-score-monitor',
        describe: 'Common name of the certificate, by which you recognise it in Entra',
      })
      .option('days', {
        type: 'number',
        requiresArg: true,
        default: 365,
        describe: `Days of validity, 1 to ${LONGEST_DAYS}`,
        coerce: (days: number) => {
          if (Number.isInteger(days) && days >= 1 && days <= LONGEST_DAYS) return days;
          throw new UsageError(`--days must be a whole number from 1 to ${LONGEST_DAYS}.`);
        },
      })
      .option('bits', {
        type: 'number',
        requiresArg: true,
        choices: [2048, 3072, 4096],
        default: 2048,
        describe: 'Length of the RSA key',
      })
      .option('out', {
        ...text('out'),
        default: 'secure-score.pem',
        describe: 'File for certificate and key; the public part goes beside it, as .cer',
      })
      .option('json', OPTIONS.json),
  examples: [['certificate create --days 180 --out contoso.pem', '']],
  act: make,
};

async function make({ name, days, bits, out, json }: CreateFlags): Promise<number> {
  const publicFile = `${out.replace(/\.(pem|key|txt)$/i, '')}.cer`;
  if (publicFile === out)
    throw new UsageError('--out is the file with the key; its public part becomes the .cer.');
  checkName(name);
  const now = machineClock.now();
  const { certificate, privateKey } = await createCertificate({
    commonName: name,
    days,
    bits,
    notBefore: new Date(now.getTime() - HEAD_START_MS),
  });
  await writeNew(out, certificate + privateKey, 0o600);
  try {
    await writeNew(publicFile, certificate, 0o644);
  } catch (error) {
    await rm(out);
    throw error;
  }
  const bundle = readBundle(certificate + privateKey, now, quote(out));
  console.log(json ? toJson(bundle, out, publicFile) : describe(bundle, out, publicFile));
  return EXIT.done;
}

/** The name becomes the certificate's common name, which X.500 limits to 64 characters. */
function checkName(name: string): void {
  if (/^[\p{L}\p{N} ._-]{1,64}$/u.test(name)) return;
  throw new UsageError('--name must be 1 to 64 letters, digits, spaces, dots, hyphens or underscores.');
}

/** An existing file is never overwritten: it may hold the only copy of a key that is in use. */
async function writeNew(path: string, content: string, mode: number): Promise<void> {
  try {
    await writeFile(path, content, { flag: 'wx', mode, flush: true });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw code === 'EEXIST'
      ? new MonitorError(
          'file-exists',
          `The file ${quote(path)} already exists and was left as it is. Nothing was created.`,
          'Choose another name with --out, or move that file away if nothing signs in with it any more.',
        )
      : new MonitorError(
          'file-unwritable',
          `The file ${quote(path)} cannot be written (${String(code)}). Nothing was created.`,
          'Choose another place with --out: a folder that exists and that you may write to.',
          { cause: error },
        );
  }
}

function toJson(bundle: Bundle, file: string, publicFile: string): string {
  const { subject, bits, thumbprintSha1, thumbprintSha256, notBefore, notAfter } = bundle;
  return JSON.stringify(
    { file, publicFile, subject, bits, thumbprintSha1, thumbprintSha256, notBefore, notAfter },
    null,
    2,
  );
}

function describe(bundle: Bundle, file: string, publicFile: string): string {
  const { subject, bits, thumbprintSha1, thumbprintSha256, notBefore, notAfter } = bundle;
  const bold = (words: string) => styleText('bold', words);
  const width = Math.max(file.length, publicFile.length);
  return `${styleText('green', '✓')} ${bold(subject)}, RSA ${bits}, valid from ${day(notBefore)} to ${day(notAfter)}

  ${file.padEnd(width)}  certificate and private key: a secret, readable by you alone
  ${publicFile.padEnd(width)}  the public part, to upload

  SHA-1    ${thumbprintSha1}  ${styleText('dim', '(listed in the portal)')}
  SHA-256  ${thumbprintSha256}

${bold('Next')}
  1. Upload ${bold(publicFile)} to the app: https://entra.microsoft.com
     → App registrations → your app → Certificates & secrets → Certificates
     → Upload certificate. Compare the thumbprint.
  2. Give ${bold(file)} to whoever signs in with it:
       the deployment      ${commandLine(`certificate put ${file}`)}
       this machine alone  ${commandLine(`run --certificate ${file}`)} …
  3. See that it works:    ${commandLine('doctor')}`;
}
