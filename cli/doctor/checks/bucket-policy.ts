import * as z from '../../../lambda/zod.ts';

const several = z.pipe(
  z.union([z.string(), z.array(z.string())]),
  z.transform((value) => [value].flat()),
);

const statementSchema = z.looseObject({
  Effect: z.string(),
  Principal: z.unknown(),
  Action: z.withDefault(several, []),
  Resource: z.withDefault(several, []),
  Condition: z.withDefault(z.record(z.string(), z.record(z.string(), z.unknown())), {}),
});
const policySchema = z.looseObject({ Statement: z.union([z.array(z.unknown()), z.unknown()]) });

type Statement = z.output<typeof statementSchema>;

/** The parts of the archive that are never overwritten. */
const APPENDED = ['snapshots/', 'profiles/', 'reports/', 'ledger/'];

/**
 * Looks for the statement that makes a bucket append-only: it denies everybody a put without If-None-Match.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
 * @param prefix of the archive in the bucket: empty, or with a slash at its end
 * @returns the parts of the archive that no such statement covers
 */
export function appendOnlyGaps(policy: string, bucket: string, prefix: string): string[] {
  const denials = statementsOf(policy).filter(deniesOverwriting);
  return APPENDED.filter(
    (part) => !denials.some(({ Resource }) => Resource.some((arn) => covers(arn, bucket, prefix + part))),
  );
}

function statementsOf(policy: string): Statement[] {
  const parsed = policySchema.safeParse(jsonOf(policy));
  if (!parsed.success) return [];
  return [parsed.data.Statement]
    .flat()
    .flatMap((statement) => statementSchema.safeParse(statement).data ?? []);
}

function deniesOverwriting({ Effect, Principal, Action, Condition }: Statement): boolean {
  const everybody = Principal === '*' || (Principal as { AWS?: unknown } | null)?.AWS === '*';
  const put = Action.some((action) =>
    ['s3:putobject', 's3:put*', 's3:*', '*'].includes(action.toLowerCase()),
  );
  const absent = Object.entries(Condition).some(
    ([operator, keys]) =>
      operator.toLowerCase() === 'null' &&
      Object.entries(keys).some(
        ([key, value]) => key.toLowerCase() === 's3:if-none-match' && String(value).toLowerCase() === 'true',
      ),
  );
  return Effect === 'Deny' && everybody && put && absent;
}

/** @param arn may hold `*`: arn:aws:s3:::bucket/snapshots/* */
function covers(arn: string, bucket: string, part: string): boolean {
  const wanted = `${bucket}/${part}`;
  const named = arn.replace(/^arn:[^:]*:s3:::/, '');
  const star = named.indexOf('*');
  return star >= 0 && star === named.length - 1 && wanted.startsWith(named.slice(0, star));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
