import type { z } from 'zod';
import { quote } from './errors.ts';

const TYPES: Record<string, string> = {
  array: 'a list',
  object: 'an object',
  string: 'a text',
  number: 'a number',
};

/**
 * What a schema found wrong, for people: a line an issue, like `  tenants[0].clientId: found "abc", wants a guid …`.
 * @param whole what the value as a whole is called
 */
export function describeIssues(error: z.ZodError, input: unknown, whole: string): string {
  return error.issues.flatMap((issue) => describeIssue(issue, input, whole)).join('\n');
}

function describeIssue(issue: z.core.$ZodIssue, input: unknown, whole: string): string[] {
  const path = issue.path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key),
    '',
  );
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `  ${path ? `${path}.` : ''}${key}: is not a field that exists here`);
  }
  const found = issue.path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    input,
  );
  const wants = issue.message.startsWith('wants')
    ? issue.message
    : `wants ${issue.code === 'invalid_type' ? (TYPES[issue.expected] ?? issue.expected) : issue.message}`;
  return [`  ${path || whole}: ${found === undefined ? 'is missing' : `found ${quote(found)}`}, ${wants}`];
}
