/** Exit codes of every command. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {}
