/*
 * The rooms that each room may import from: bin → cli, lib → history → lambda → score. An arrow that runs up, and any
 * circle, fails `npm run arrows`. Type imports count.
 */

/** A room and those it may import from, besides itself. */
const rooms = {
  'lambda/score': [],
  lambda: ['lambda/score'],
  history: ['lambda'],
  cli: ['history', 'lambda'],
  lib: ['history', 'lambda'],
  bin: ['cli', 'lib', 'history', 'lambda'],
  simulator: ['cli', 'lambda'],
};

const under = (folders) => `^(${folders.join('|')})/`;

/** The steps of a run, in the order of its recipe: none imports a later one. */
const steps = [
  'run',
  'ledger',
  'versions',
  'last-reported',
  'fetch',
  'check',
  'archive',
  'compare',
  'explain',
  'settle',
  'incidents',
  'report',
  'outbox',
  'deliver',
  'failure',
  'columns',
  'publish',
];

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(rooms).map(([room, below]) => ({
      name: `${room} → ${below.join(', ') || 'nothing'}`,
      severity: 'error',
      from: { path: under([room]), pathNot: room === 'lambda' ? under(['lambda/score']) : undefined },
      to: {
        path: under([...Object.keys(rooms), 'bench', 'pack', 'test']),
        pathNot: under([room, ...below]),
      },
    })),
    ...steps.slice(0, -1).map((step, index) => ({
      name: `${step} comes before the steps that follow it`,
      severity: 'error',
      from: { path: `^lambda/run/${step}\\.ts$` },
      to: { path: `^lambda/run/(${steps.slice(index + 1).join('|')})\\.ts$` },
    })),
    {
      name: 'score is pure',
      severity: 'error',
      from: { path: under(['lambda/score']) },
      to: { pathNot: under(['lambda/score']) },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
