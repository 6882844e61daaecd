import { argv } from 'node:process';
import { measured } from '../measure.ts';

/** Loads one module, named on the command line. */
await measured(() => import(argv[2]!));
