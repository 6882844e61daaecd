import { App } from 'aws-cdk-lib';
import { MonitorError } from '../lambda/errors.ts';
import { addMonitor } from './app.ts';

const app = new App();
try {
  await addMonitor(app);
  app.synth();
} catch (error) {
  if (!(error instanceof MonitorError)) throw error;
  // Here it is a flag of cdk.
  console.error(`${error.message}\n→ ${error.advice.replace('--config', '-c config=<path>')}`);
  process.exitCode = 1;
}
