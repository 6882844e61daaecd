/**
 * Lint rule `clock/one-clock`: the machine's clock is read in one place, and handed on. Code that reads it by itself
 * compares it sooner or later with the clock that it was given: that is how `npm start` failed seven hours of every day.
 */

/**
 * The files of lambda/ that may read the machine's clock, and why. test/lint.test.ts finds those that no longer need
 * to.
 */
export const PLACES = new Map([
  ['lambda/clock.ts', 'It is the clock.'],
  ['lambda/handler.ts', "The function's ports are built here."],
  [
    'lambda/graph/sign-in.ts',
    "MSAL stamps assertions with the machine's clock, so its skew is measured by that one.",
  ],
]);

const READS = "This reads the machine's clock. Ask the Clock that is passed in (ports.clock).";
const IMPORTS =
  "This takes the machine's clock. Ask the Clock that is passed in (ports.clock); where there really is none, add the file and the reason to .oxlint/one-clock.js.";

const isDate = ({ type, name }) => type === 'Identifier' && name === 'Date';

const oneClock = {
  create(context) {
    const file = context.filename.replaceAll('\\', '/');
    if ([...PLACES.keys()].some((place) => file.endsWith(`/${place}`))) return {};
    const report = (message) => (node) => context.report({ node, message });
    return {
      // `new Date()`: with an argument it is a conversion, and no concern of this rule.
      NewExpression(node) {
        if (isDate(node.callee) && node.arguments.length === 0) report(READS)(node);
      },
      // `Date()`, whatever its arguments.
      CallExpression(node) {
        if (isDate(node.callee)) report(READS)(node);
      },
      // `Date.now()`, and `Date.now` handed on.
      MemberExpression(node) {
        if (isDate(node.object) && (node.property.name ?? node.property.value) === 'now') report(READS)(node);
      },
      // The commands and the simulator build ports; in lambda/ only the handler does.
      ImportSpecifier(node) {
        if (file.includes('/lambda/') && node.imported.name === 'machineClock') report(IMPORTS)(node);
      },
    };
  },
};

export default { meta: { name: 'clock' }, rules: { 'one-clock': oneClock } };
