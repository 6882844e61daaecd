import { Validations, type App } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { loadInput } from '../cli/shared/load-config.ts';
import { DEFAULT_CONFIG } from '../cli/shared/options.ts';
import { DEPLOYMENT_STACK, historyStackOf } from '../lambda/outputs.ts';
import { SecureScoreHistoryStack } from '../lib/history-stack.ts';
import { SecureScoreMonitorStack } from '../lib/stack.ts';

/**
 * Adds the monitor to the CDK app and, as a stack of its own, Athena on its archive. `-c config=<path>` picks
 * another config than monitor.config.ts, `-c stack=<name>` another name of the deployment, for a second one in the
 * same account. AWS is not asked for anything: the stacks go wherever `cdk` is signed in.
 * @returns the main stack. @throws MonitorError `config-missing`, `config-unreadable` or `config-invalid`
 */
export async function addMonitor(app: App): Promise<SecureScoreMonitorStack> {
  const context = (key: string): string | undefined => {
    const value: unknown = app.node.tryGetContext(key);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  // It is checked here, where its path is known, and again by the construct, which accepts a config from anybody.
  const { input } = await loadInput(context('config') ?? DEFAULT_CONFIG);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  const name = context('stack') ?? DEPLOYMENT_STACK;
  const main = new SecureScoreMonitorStack(app, name, { config: input });
  new SecureScoreHistoryStack(app, historyStackOf(name), { monitor: main.monitor });
  return main;
}
