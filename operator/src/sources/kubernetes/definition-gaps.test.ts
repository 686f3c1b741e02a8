import { expect, test } from "vitest";
import { readDefinitions, type Definition } from "../definitions.ts";
import { findDefinitionGaps, describeGaps, type ServedApi } from "./definition-gaps.ts";

const definitions = readDefinitions();

const served = (of: readonly Definition[]): ServedApi => ({
  components: {
    schemas: Object.fromEntries(
      of.map(({ kind, schema }) => [
        `dev.strowger.sip.v1alpha1.${kind}`,
        {
          ...schema,
          "x-kubernetes-group-version-kind": [{ group: "sip.strowger.dev", kind, version: "v1alpha1" }],
        },
      ]),
    ),
  },
});

test("the definitions of this version have no gaps", () => {
  expect(findDefinitionGaps(definitions, served(definitions))).toEqual([]);
});

test("if nothing is served, every kind is listed", () => {
  const kinds = ["SipCluster", "SipDomain", "SipUser"];
  expect(findDefinitionGaps(definitions, undefined).map(({ kind }) => kind)).toEqual(kinds);
  const other = { ...definitions[0]!, kind: "Other" };
  expect(findDefinitionGaps(definitions, served([other])).map(({ kind }) => kind)).toEqual(kinds);
});

test("the missing fields of an older definition are listed by path, also in lists", () => {
  const older: unknown = JSON.parse(JSON.stringify(served(definitions)));
  const { components } = older as {
    components: {
      schemas: Record<string, { properties: Record<string, { properties: Record<string, unknown> }> }>;
    };
  };
  const user = components.schemas["dev.strowger.sip.v1alpha1.SipUser"]!;
  delete user.properties["spec"]!.properties["displayName"];
  const conditions = user.properties["status"]!.properties["conditions"] as {
    items: { properties: Record<string, unknown> };
  };
  delete conditions.items.properties["reason"];
  const gaps = findDefinitionGaps(definitions, older as ServedApi);
  expect(gaps).toEqual([{ kind: "SipUser", fields: ["spec.displayName", "status.conditions[].reason"] }]);
  expect(describeGaps(gaps)).toContain("SipUser is served without spec.displayName");
});

test("additional kinds and fields are not gaps", () => {
  const [first] = definitions;
  const fewer = { ...first!, schema: { ...first!.schema, properties: {} } };
  expect(findDefinitionGaps([fewer], served(definitions))).toEqual([]);
});
