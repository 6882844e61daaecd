/** True if a pattern matches the recommendation's id. In a pattern, * stands for any characters. */
export function isMuted(control: string, mute: readonly string[]): boolean {
  return mute.some((pattern) => matches(control, pattern.split('*')));
}

/** Matched by hand, because a regular expression made from a user's pattern may take forever. */
function matches(name: string, parts: string[]): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
