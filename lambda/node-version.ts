/** The version that the function runs on, and the oldest one that has everything that is used here. */
const OLDEST = 24;

/**
 * The reason why this Node cannot run the monitor, as a sentence with advice; undefined if it can. This file imports
 * nothing, so that an older Node can read it before anything that it does not know.
 * @param version in the form of `process.versions.node`
 */
export function nodeFault(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= OLDEST) return undefined;
  return `secure-score-monitor needs Node ${OLDEST} or newer, and this is Node ${version}: install it from https://nodejs.org, or in your project with npm install --save-dev node@${OLDEST} and run the command with npx.`;
}
