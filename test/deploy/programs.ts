import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, '../..');

/** The Node that runs the tests, for programs that look for one on their PATH. */
export const PATH = [path.dirname(process.execPath), process.env['PATH']].join(path.delimiter);

export interface Programs {
  /** @returns what it printed. @throws with what it said, if it fails */
  cdk(...args: string[]): Promise<string>;
  /** `cdk bootstrap`, from outside the checkout: it needs no app, and would synthesise it. */
  bootstrap(environment: string): Promise<string>;
  secureScore(...args: string[]): Promise<string>;
  /** With something on its standard input. */
  secureScoreReading(input: string, ...args: string[]): Promise<string>;
}

/**
 * The two programs that a user runs, in the checkout as a user does.
 * @param home their home folder: caches and settings of whoever runs the tests stay out
 */
export function programs(home: string): Programs {
  const node = async (cwd: string, args: string[], input = ''): Promise<string> => {
    const env = {
      ...process.env,
      PATH,
      HOME: home,
      NO_COLOR: '1',
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      CDK_DISABLE_VERSION_CHECK: 'true',
    };
    try {
      const running = execute(process.execPath, args, { cwd, env, maxBuffer: 2 ** 26 });
      running.child.stdin?.end(input);
      return (await running).stdout;
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      throw new Error(`${args.join(' ')} failed:\n${stdout ?? ''}\n${stderr ?? ''}`, { cause: error });
    }
  };
  const secureScore = path.join(ROOT, 'bin/secure-score.ts');
  const cdk = path.join(ROOT, 'node_modules/aws-cdk/bin/cdk');
  return {
    cdk: (...args) => node(ROOT, [cdk, '--no-notices', ...args]),
    bootstrap: (environment) => node(home, [cdk, '--no-notices', 'bootstrap', environment]),
    secureScore: (...args) => node(ROOT, [secureScore, ...args]),
    secureScoreReading: (input, ...args) => node(ROOT, [secureScore, ...args], input),
  };
}
