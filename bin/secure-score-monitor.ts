import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { DEFAULT_CONFIG, loadConfig } from '../cli/load-config.ts';
import { MonitorError } from '../lambda/errors.ts';
import { DEPLOYMENT_STACK } from '../lambda/outputs.ts';
import { SecureScoreMonitorStack } from '../lib/stack.ts';

/**
 * The CDK app. `-c config=<path>` picks another config than monitor.config.ts, `-c stack=<name>` another name of the
 * deployment, for a second one in the same account. It asks AWS nothing: the stack goes wherever `cdk` is signed in.
 */
const app = new App();
const context = (key: string): string | undefined => {
  const value: unknown = app.node.tryGetContext(key);
  return typeof value === 'string' && value !== '' ? value : undefined;
};

try {
  const config = await loadConfig(context('config') ?? DEFAULT_CONFIG);
  new SecureScoreMonitorStack(app, context('stack') ?? DEPLOYMENT_STACK, { config });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  app.synth();
} catch (error) {
  if (!(error instanceof MonitorError)) throw error;
  const advice = error.advice.replace('--config', '-c config=<path>');
  console.error(`${error.message}\n${advice}`);
  process.exitCode = 1;
}
