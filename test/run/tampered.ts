import { monitor } from '../../lambda/monitor.ts';
import { fillDays, world, type DaySpec } from './fakes.ts';

export const CONTROLS = { alpha: 8, beta: 5, gamma: 2, delta: 6 };
export const BASE: DaySpec = { controls: CONTROLS, maximum: 40 };

/** What is done to the entries of the next answers, newest first. */
export type Tamper = (entries: Record<string, unknown>[]) => Record<string, unknown>[];

/** A tenant whose days up to 1 March have been archived and reported, with a catalogue of ten. */
export async function started() {
  const w = world('2026-03-01T07:00:00Z');
  fillDays(w.graph, '2026-02-10', 20, BASE);
  const names = [...Object.keys(CONTROLS), 'e', 'f', 'g', 'h', 'i', 'j'];
  w.graph.profiles = names.map((id) => profile(id));
  let tamper: Tamper = (entries) => entries;
  const runAt = async (now: string) => {
    w.clock.set(now);
    const run = w.runOf();
    run.ports.graph = {
      signIn: async () => {
        const session = await w.graph.signIn();
        return {
          ...session,
          secureScores: async (days: number) => tamper(await session.secureScores(days)),
        };
      },
    };
    const result = await monitor(run);
    return { ...result, kinds: result.mails.map(({ kind }) => kind) };
  };
  const on = (date: string, spec: DaySpec) => {
    w.graph.days.set(date, spec);
    return runAt(`${date}T07:00:00Z`);
  };
  await runAt('2026-03-01T07:00:00Z');
  w.mailer.sent.length = 0;
  return { ...w, runAt, on, tamper: (how: Tamper) => (tamper = how) };
}

export function profile(id: string, updates: object[] = []) {
  return { id, title: `Title of ${id}`, maxScore: 10, controlStateUpdates: updates };
}
