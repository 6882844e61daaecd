/** Nothing: what Node itself needs to load a module. */
export default null;
