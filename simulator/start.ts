/** `npm start`: practises in `practice/`, at whatever hour the machine has. */
import { resolve } from 'node:path';
import { machineClock } from '../lambda/clock.ts';
import { practise } from './practice.ts';

// Only the owner may read the files, like everything that the commands write.
process.umask(0o077);
process.exitCode = await practise(machineClock.now(), resolve(import.meta.dirname, '../practice'));
