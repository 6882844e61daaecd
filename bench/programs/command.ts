import { main } from '../../cli/main.ts';
import { measured } from '../measure.ts';

/** A command as it is, measured: the last line that it prints is what it took. */
await measured(async () => {
  process.exitCode = await main(process.argv.slice(2));
});
