import { expect, test } from "vitest";
import { readDefinitions, type Definition } from "../definitions.ts";
import { definitionGaps, describeGaps, type ServedApi } from "./definition-gaps.ts";

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

test("what this version defines has no gaps", () => {
  expect(definitionGaps(definitions, served(definitions))).toEqual([]);
});

test("nothing served: every kind is named", () => {
  const kinds = ["SipCluster", "SipDomain", "SipUser"];
  expect(definitionGaps(definitions, undefined).map(({ kind }) => kind)).toEqual(kinds);
  const other = { ...definitions[0]!, kind: "Other" };
  expect(definitionGaps(definitions, served([other])).map(({ kind }) => kind)).toEqual(kinds);
});

test("an older definition: the fields that it lacks are named by their paths, in lists too", () => {
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
  const gaps = definitionGaps(definitions, older as ServedApi);
  expect(gaps).toEqual([{ kind: "SipUser", fields: ["spec.displayName", "status.conditions[].reason"] }]);
  expect(describeGaps(gaps)).toContain("SipUser is served without spec.displayName");
});

test("more than is needed is no gap", () => {
  const [first] = definitions;
  const fewer = { ...first!, schema: { ...first!.schema, properties: {} } };
  expect(definitionGaps([fewer], served(definitions))).toEqual([]);
});
