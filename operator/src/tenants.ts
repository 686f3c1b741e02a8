/** The namespaces that may use an object of another namespace (SipCluster.allowedDomains, SipDomain.allowedNamespaces). Pure. */
import { ownValue } from "./runtime/own-value.ts";

export type Labels = Readonly<Record<string, string>>;

/** A LabelSelector of Kubernetes: all requirements must hold; an empty selector selects everything. */
export interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    readonly values?: readonly string[];
  }[];
}

/** By name or by label. */
export interface NamespaceChoice {
  readonly names?: readonly string[];
  readonly selector?: LabelSelector;
}

export interface AllowedDomains {
  readonly namespaces: NamespaceChoice;
  /** Absent: any domain. */
  readonly suffixes?: readonly string[];
}

/** `labels` is undefined if they could not be read: then no selector matches. */
export function choosesNamespace(
  { names = [], selector }: NamespaceChoice,
  namespace: string,
  labels: Labels | undefined,
): boolean {
  return (
    names.includes(namespace) || (selector !== undefined && labels !== undefined && selects(selector, labels))
  );
}

/** Each of `names` must be below a suffix that this namespace may use. */
export function allowsDomains(
  allowed: readonly AllowedDomains[],
  namespace: string,
  labels: Labels | undefined,
  names: readonly string[],
): boolean {
  const open = allowed.filter(({ namespaces }) => choosesNamespace(namespaces, namespace, labels));
  return names.every((name) =>
    open.some(({ suffixes }) => suffixes?.some((suffix) => isBelow(name, suffix)) ?? true),
  );
}

function selects({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => ownValue(labels, key) === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = ownValue(labels, key);
      switch (operator) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
      }
    })
  );
}

function isBelow(name: string, suffix: string): boolean {
  const [below, above] = [name.toLowerCase(), suffix.toLowerCase()];
  return below === above || below.endsWith(`.${above}`);
}
