/** `npm start`: practises in `practice/`, at the machine's hour, whatever it is. */
import { resolve } from 'node:path';
import { machineClock } from '../lambda/clock.ts';
import { practise } from './practice.ts';

process.exitCode = await practise(machineClock.now(), resolve(import.meta.dirname, '../practice'));
