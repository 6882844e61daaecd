/**
 * The form in which the command is called; it is determined only here. No form may ask a registry for a package of the
 * command's name and run what somebody published there, so `npx secure-score` is not used.
 * @param url of a module of this project, wherever it lies
 */
export function callOf(url: string, platform: NodeJS.Platform = process.platform): string {
  // npm's folder of global packages: https://docs.npmjs.com/cli/configuring-npm/folders
  if (/\/(?:lib|npm)\/node_modules\//.test(url)) return 'secure-score';
  if (url.includes('/node_modules/')) return 'node_modules/.bin/secure-score';
  // A checkout has a shell script, except on Windows. (With -s npm adds no lines of its own to a result.)
  return platform === 'win32' ? 'npm run -s secure-score --' : './secure-score';
}

/** The command as it was called, if the script of the checkout provides that, because its path differs by folder. */
export const callHere = (): string => process.env['SECURE_SCORE_CALL'] ?? callOf(import.meta.url);

/** A command as a person can copy it. @param words like `doctor --tenant Contoso` */
export const commandLine = (words: string): string => `${callHere()} ${words}`;

/** A value in the form that a shell reads as one word. */
export const shellWord = (value: string): string =>
  /^[\w./:@=+,-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
