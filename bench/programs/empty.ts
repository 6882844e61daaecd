/** An empty module, which shows what Node itself needs to load one. */
export default null;
