import { App } from 'aws-cdk-lib';
import { MonitorError } from '../lambda/errors.ts';
import { addMonitor } from './app.ts';

const app = new App();
try {
  await addMonitor(app);
  app.synth();
} catch (error) {
  if (!(error instanceof MonitorError)) throw error;
  // cdk takes the config as a context value.
  console.error(`${error.message}\n→ ${error.advice.replace('--config', '-c config=<path>')}`);
  process.exitCode = 1;
}
