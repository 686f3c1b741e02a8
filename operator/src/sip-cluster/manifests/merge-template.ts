/**
 * Merges a SipCluster's `template` into the operator's pod template: objects field by field. A list replaces ours, except tolerations, which
 * are added. Null removes a field.
 */

type Fields = Readonly<Record<string, unknown>>;

export function mergeTemplate(ours: Fields, theirs: Fields): Fields {
  const merged = new Map(Object.entries(ours));
  for (const [field, value] of Object.entries(theirs)) {
    const before = merged.get(field);
    if (value === null) merged.delete(field);
    else if (field === "tolerations" && Array.isArray(before) && Array.isArray(value))
      merged.set(field, [...(before as unknown[]), ...(value as unknown[])]);
    else merged.set(field, isFields(value) ? mergeTemplate(isFields(before) ? before : {}, value) : value);
  }
  return Object.fromEntries(merged);
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
