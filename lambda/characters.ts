/**
 * Invisible characters that reorder, hide or break the text around them: controls, format characters (including all
 * bidirectional marks and zero-width ones), lone surrogates, line and paragraph separators, and code points that are not
 * characters. Joiners (U+200C, U+200D) are allowed after a character that is not ASCII, because Persian is misspelt without
 * them and emoji of families fall apart. Anywhere else they only hide a difference.
 */
export const ACTING =
  /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]--[\u200C\u200D]]|(?<![[\p{L}\p{M}\p{S}]--\p{ASCII}])[\u200C\u200D]/gv;

/** The first acting character of a text as `U+202E`, or undefined. */
export function actingCharacter(text: string): string | undefined {
  const [found] = text.match(ACTING) ?? [];
  return found && `U+${found.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Names that look alike count as one: two tenants cannot have them, and each of them finds the tenant. */
export const alike = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\u200C\u200D]/g, '');
