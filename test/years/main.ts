import { parseArgs } from 'node:util';
import { live } from './fleet.ts';
import { historyOf, TENANTS, type History } from './history.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '6' },
    seed: { type: 'string' },
    days: { type: 'string', default: '200' },
    tenants: { type: 'string', default: String(TENANTS) },
    shrink: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const first = values.seed === undefined ? 1 : Number(values.seed);
const count = values.seed === undefined ? Number(values.seeds) : 1;
let failed = 0;
for (let seed = first; seed < first + count; seed += 1) {
  const history: History = historyOf(seed, Number(values.days), Number(values.tenants));
  const before = process.cpuUsage();
  const { violations, figures } = await live(history);
  const used = process.cpuUsage(before);
  console.log(
    `seed ${seed}: ${violations.length} violations, ${history.events.length} events, ${((used.user + used.system) / 1e6).toFixed(1)} s of CPU`,
  );
  console.log(JSON.stringify({ ...figures, mails: undefined }));
  for (const text of violations.slice(0, 12)) console.log(`  ${text}`);
  if (violations.length > 0) failed += 1;
}
console.log(`${count - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
