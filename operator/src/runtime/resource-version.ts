/**
 * Whether one state of a resource is later than another. Resource versions are rising numbers (guaranteed since Kubernetes 1.35, and true
 * before). Any other version cannot be compared, and counts as later.
 */
export function isLater(version: string | undefined, than: string | undefined): boolean {
  if (version === than && version !== undefined) return false;
  if (!isNumber(version) || !isNumber(than)) return true;
  return version.length === than.length ? version > than : version.length > than.length;
}

const isNumber = (version: string | undefined): version is string =>
  version !== undefined && /^[1-9]\d*$/.test(version);
