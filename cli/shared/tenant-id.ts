const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @returns the id of a tenant (lower case), if what is wanted is one; null for anything else, such as a name */
export function idIn(wanted: string): string | null {
  const id = wanted.toLowerCase();
  return GUID.test(id) ? id : null;
}
