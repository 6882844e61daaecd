import type * as z from './zod.ts';
import { quote } from './errors.ts';

const TYPES: Record<string, string> = {
  array: 'a list',
  object: 'an object',
  string: 'a text',
  number: 'a number',
};

/** The place of a field that comes from another file; undefined for a field of the value itself. */
export type PlaceOf = (path: readonly PropertyKey[]) => string | undefined;

/**
 * The issues that a schema found, for people: one line each, like `  tenants[0].clientId: found "abc", expected a guid …`.
 * If the entry of a list has a name, the line ends with it, because nobody counts to tenants[217].
 * @param whole the name of the complete value
 * @param place finds the place of fields that come from another file
 */
export function describeIssues(
  { issues }: Pick<z.ZodError, 'issues'>,
  input: unknown,
  whole: string,
  place: PlaceOf = () => undefined,
): string {
  return issues
    .flatMap(innermost)
    .flatMap((issue) => {
      const lines = describeIssue(issue, input, whole, place);
      return issue.path.includes('cloud') ? lines : lines.map(withoutKeys);
    })
    .join('\n');
}

/** The issues of the form, of several, that the value has; the issue itself if it has none of them or may have any. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const [fitting, ...others] = issue.errors.filter((issues) =>
    issues.every(({ code, path }) => path.length > 0 || !['invalid_type', 'invalid_value'].includes(code)),
  );
  if (!fitting || others.length > 0) return [issue];
  return fitting.map((each) => ({ ...each, path: [...issue.path, ...each.path] })).flatMap(innermost);
}

function describeIssue(issue: z.core.$ZodIssue, input: unknown, whole: string, place: PlaceOf): string[] {
  const called = (keys: readonly PropertyKey[]) => place(keys) ?? pathOf(keys);
  const path = called(issue.path);
  const name = issue.path
    .map((key, index) => typeof key === 'number' && valueAt(input, issue.path.slice(0, index + 1)))
    .map((entry) => (entry as { name?: unknown } | null | undefined)?.name)
    .find((each) => typeof each === 'string');
  const where = name === undefined ? '' : ` (in ${quote(name)})`;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(
      (key) => `  ${called([...issue.path, key])}: is not a field that exists here${where}`,
    );
  }
  const found = valueAt(input, issue.path);
  const message = issue.message.replace(/\btenants\[(\d+)\]/g, (_, index) =>
    called(['tenants', Number(index)]),
  );
  const expected = /^(expected|is) /.test(message)
    ? message
    : `expected ${issue.code === 'invalid_type' ? (TYPES[issue.expected] ?? issue.expected) : message}`;
  return [`  ${path || whole}: ${describeFound(issue, found)}, ${expected}${where}`];
}

/** Fields in which somebody may have written the secret itself. */
const SECRET = new Set<PropertyKey>(['url', 'signingKey', 'password']);

function describeFound({ code, path }: z.core.$ZodIssue, found: unknown): string {
  if (found === undefined) return 'is missing';
  if (path.some((key) => SECRET.has(key))) {
    return `found ${Array.isArray(found) ? 'a list' : (TYPES[typeof found] ?? `a ${typeof found}`)} (not shown)`;
  }
  if (code === 'too_big' && Array.isArray(found)) return `found ${found.length}`;
  return `found ${quote(found)}`;
}

/** Removes the addresses of webhooks, which contain a key, in case they are in the wrong place. */
function withoutKeys(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)(?:[^\s"'/]*@)?([^\s"'/?#]*)[/?#][^\s"']*/gi, '$1$2/…')
    .replace(/whsec_[^\s"']*/g, 'whsec_…');
}

/** The path as it is written in JavaScript. */
function pathOf(keys: readonly PropertyKey[]): string {
  return keys.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = String(key);
    if (!/^[\w$]+$/.test(name)) return `${text}[${quote(name)}]`;
    return text ? `${text}.${name}` : name;
  }, '');
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key],
    input,
  );
}
