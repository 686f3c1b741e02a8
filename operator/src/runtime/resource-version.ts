/**
 * Which of two states of a resource is the later one. Resource versions are numbers that only rise (the API server promises it since
 * Kubernetes 1.35, and did so before); anything else cannot be compared and counts as later.
 */
export function isLater(version: string | undefined, than: string | undefined): boolean {
  if (version === than && version !== undefined) return false;
  if (!isNumber(version) || !isNumber(than)) return true;
  return version.length === than.length ? version > than : version.length > than.length;
}

const isNumber = (version: string | undefined): version is string =>
  version !== undefined && /^[1-9]\d*$/.test(version);
