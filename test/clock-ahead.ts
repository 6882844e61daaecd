/**
 * Loaded before a program (`node --import`), sets its clock ahead by so many milliseconds as the variable
 * CLOCK_AHEAD_MS says: how a program comes to believe that it is tomorrow, or another hour.
 */
const { CLOCK_AHEAD_MS } = process.env;
if (CLOCK_AHEAD_MS !== undefined) globalThis.Date = dateAhead(Date, Number(CLOCK_AHEAD_MS));

/** @param ahead in milliseconds */
export function dateAhead(real: DateConstructor, ahead: number): DateConstructor {
  return new Proxy(real, {
    apply: () => String(new real(real.now() + ahead)),
    construct: (_, args: [], as) =>
      Reflect.construct(real, args.length === 0 ? [real.now() + ahead] : args, as) as Date,
    get: (_, key) => (key === 'now' ? () => real.now() + ahead : (Reflect.get(real, key) as unknown)),
  });
}
