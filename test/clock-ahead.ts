/**
 * Loaded before a program (`node --import`), sets its clock ahead by so many milliseconds as the variable
 * CLOCK_AHEAD_MS says: how a program comes to believe that it is tomorrow, or another hour.
 */
const ahead = Number(process.env['CLOCK_AHEAD_MS']);

globalThis.Date = new Proxy(Date, {
  apply: (real) => String(new real(real.now() + ahead)),
  construct: (real, args: [], as) =>
    Reflect.construct(real, args.length === 0 ? [real.now() + ahead] : args, as) as Date,
  get: (real, key) => (key === 'now' ? () => real.now() + ahead : (Reflect.get(real, key) as unknown)),
});
