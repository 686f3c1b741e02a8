/** The table of objects that are admitted or refused: the YAML files of this folder. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

type Fields = Readonly<Record<string, unknown>>;

export interface AdmissionCase {
  /** The kind and what it is about; each once. */
  readonly title: string;
  readonly object: Fields & { readonly kind: string; readonly metadata: Fields };
  /** What was stored before; undefined: the object is new. */
  readonly old: (Fields & { readonly spec: Fields }) | undefined;
  /** Undefined: it is admitted. Else the path of the field, with dots, and a part of the words; empty where nothing is expected. */
  readonly refused: { readonly field: string; readonly says: string } | undefined;
  /** What the spec that is stored has, among other things. */
  readonly as: Fields;
}

interface CaseFile {
  readonly kind: string;
  readonly base: Fields;
  readonly cases: readonly {
    readonly what: string;
    readonly spec?: Fields;
    readonly without?: readonly string[];
    readonly metadata?: Fields;
    readonly object?: Fields;
    readonly old?: Fields;
    readonly refused?: string;
    readonly says?: string;
    readonly as?: Fields;
  }[];
}

/** In the order of files and lines. */
export function admissionCases(): readonly AdmissionCase[] {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".yaml"));
  return files.sort().flatMap((file) => casesOf(readFileSync(join(import.meta.dirname, file), "utf8")));
}

function casesOf(text: string): readonly AdmissionCase[] {
  const { kind, base, cases } = parse(text) as CaseFile;
  const apiVersion = "sip.strowger.dev/v1alpha1";
  return cases.map(({ what, spec, without = [], metadata, object, old, refused, says = "", as = {} }) => {
    const laid = Object.entries({ ...base, ...spec }).filter(([field]) => !without.includes(field));
    const name = { namespace: "default", name: kind.toLowerCase() };
    return {
      title: `${kind}: ${what}`,
      object: {
        ...{ apiVersion, kind, metadata: { ...name, ...metadata } },
        ...(object !== undefined && Object.keys(object).length === 0
          ? {}
          : { spec: Object.fromEntries(laid), ...object }),
      },
      old: old && { apiVersion, kind, metadata: name, spec: { ...base, ...old } },
      refused: refused === undefined ? undefined : { field: refused, says },
      as,
    };
  });
}
