/** Placeholders (`:name`) of a statement. What looks like one in a text, a quoted name or a comment is none. */

const TOKENS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|(?<!:):([a-z_]+)/g;

/** Names, each once, in the order of their first use. */
export function placeholdersOf(sql: string): string[] {
  return [...new Set([...sql.matchAll(TOKENS)].flatMap(([, name]) => name ?? []))];
}

/**
 * Puts a piece of SQL for each placeholder.
 * @param values by name; all that occur
 */
export function substitute(sql: string, values: Record<string, string>): string {
  return sql.replace(TOKENS, (token: string, name: string | undefined) => {
    if (name === undefined) return token;
    const value = values[name];
    if (value === undefined) throw new TypeError(`no value for :${name}`);
    return value;
  });
}

/**
 * A value as SQL. In texts a quotation mark is doubled and nothing else has a meaning, in both engines:
 * https://trino.io/docs/current/language/types.html#varchar, https://duckdb.org/docs/stable/sql/data_types/literal_types
 * @throws RangeError for what no literal can hold
 */
export function literal(value: string | number | null): string {
  if (value === null) return 'NULL';
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no whole number`);
    return String(value);
  }
  if (value.includes('\0')) throw new RangeError('a text with a NUL character');
  return `'${value.replaceAll("'", "''")}'`;
}
