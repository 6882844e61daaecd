/**
 * How the command is called: the one place that knows. None of the forms may ask a registry, in whatever folder, for a
 * package of the command's name, and run what somebody published there: so not `npx secure-score`.
 * @param url of a module of this project, wherever it lies
 */
export function callOf(url: string, platform: NodeJS.Platform = process.platform): string {
  // npm's folder of global packages: https://docs.npmjs.com/cli/configuring-npm/folders
  if (/\/(?:lib|npm)\/node_modules\//.test(url)) return 'secure-score';
  if (url.includes('/node_modules/')) return 'node_modules/.bin/secure-score';
  // In a checkout: a shell script, which Windows has none for. (-s: npm adds no lines of its own to a result.)
  return platform === 'win32' ? 'npm run -s secure-score --' : './secure-score';
}

/** As it was called, where the script of the checkout says so: from another folder it has another path. */
export const callHere = (): string => process.env['SECURE_SCORE_CALL'] ?? callOf(import.meta.url);

/** A command as a person can copy it. @param words like `doctor --tenant Contoso` */
export const commandLine = (words: string): string => `${callHere()} ${words}`;

/** A value as a shell takes it for one word. */
export const shellWord = (value: string): string =>
  /^[\w./:@=+,-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
