/** Whether a recommendation is one of those named: by its id, where * stands for any characters. */
export function isMuted(control: string, mute: readonly string[]): boolean {
  return mute.some((pattern) => matches(control, pattern.split('*')));
}

/** By hand: an expression made of a foreign pattern may take for ever. */
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
