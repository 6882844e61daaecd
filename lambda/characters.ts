/**
 * Characters that show nothing, yet reorder, hide or break what stands around them: controls, format characters (among
 * them all bidirectional marks and zero-width ones), half surrogates, line and
 * paragraph separators, and code points that are none. Joiners
 * (U+200C, U+200D) are letters' own business where they follow one that is not ASCII: Persian is misspelt without
 * them, and a family of emoji falls apart. Anywhere else they only hide a difference.
 */
export const ACTING =
  /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]--[\u200C\u200D]]|(?<![[\p{L}\p{M}\p{S}]--\p{ASCII}])[\u200C\u200D]/gv;

/** The first acting character of a text as `U+202E`, or undefined. */
export function actingCharacter(text: string): string | undefined {
  const [found] = text.match(ACTING) ?? [];
  return found && `U+${found.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`;
}
