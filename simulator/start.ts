/** `npm start`: practises in `practice/`, at the machine's hour, whatever it is. */
import { resolve } from 'node:path';
import { machineClock } from '../lambda/clock.ts';
import { practise } from './practice.ts';

// For its owner alone, as all that the commands write.
process.umask(0o077);
process.exitCode = await practise(machineClock.now(), resolve(import.meta.dirname, '../practice'));
