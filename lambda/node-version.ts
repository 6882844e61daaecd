/** What the function runs on, and the first that has all that is used here. */
const OLDEST = 24;

/**
 * Why this Node cannot run the monitor, as a sentence that says what to do; undefined where it can. This file imports
 * nothing, so that an older Node reads it before anything that it does not know.
 * @param version as `process.versions.node` has it
 */
export function nodeFault(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= OLDEST) return undefined;
  return `secure-score-monitor needs Node ${OLDEST} or newer, and this is Node ${version}: install it from https://nodejs.org, or in your project with npm install --save-dev node@${OLDEST} and run the command with npx.`;
}
