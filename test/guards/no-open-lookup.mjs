/**
 * Lint rule: a key that can be any string must not index a plain object. Such an object inherits from `Object.prototype`, so the keys
 * `constructor`, `toString` or `__proto__` from outside would return inherited values, and an assignment to `__proto__` would change the
 * prototype. Use a `Map` for a table with such keys. Read an object of a library or of JSON with `ownValue`, which reads only own properties.
 *
 * Keys whose type is a union of literals, a number or a symbol are closed sets and are allowed. So are `Object.hasOwn(o, k) ? o[k] : ...`
 * and `delete o[k]`, which use only own properties.
 */
import { ESLintUtils } from "@typescript-eslint/utils";
import ts from "typescript";

const openText = ts.TypeFlags.String | ts.TypeFlags.TemplateLiteral | ts.TypeFlags.StringMapping;
const unknown = ts.TypeFlags.Any | ts.TypeFlags.Unknown;

/** True if a value of this type can be any string. */
function canBeAnyString(type, checker) {
  if (type.isUnion()) return type.types.some((part) => canBeAnyString(part, checker));
  if ((type.flags & (openText | unknown)) !== 0) return true;
  if ((type.flags & ts.TypeFlags.Intersection) !== 0)
    return type.types.every((part) => canBeAnyString(part, checker));
  const constraint = checker.getBaseConstraintOfType(type);
  return constraint !== undefined && constraint !== type && canBeAnyString(constraint, checker);
}

export default {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      lookup:
        "This key can be any string, and a plain object inherits properties: use a Map, or ownValue for an object from a library or JSON.",
    },
  },
  create(context) {
    const { sourceCode } = context;
    const services = ESLintUtils.getParserServices(context);
    const checker = services.program.getTypeChecker();
    /** True for `o[k]` in the branch of the condition `Object.hasOwn(o, k)`, and for `delete o[k]`. */
    const usesOwnPropertyOnly = (node) => {
      const { parent } = node;
      if (node.type !== "MemberExpression") return false;
      if (parent.type === "UnaryExpression") return parent.operator === "delete";
      if (parent.type !== "ConditionalExpression" || parent.consequent !== node) return false;
      const guard = `Object.hasOwn(${sourceCode.getText(node.object)}, ${sourceCode.getText(node.property)})`;
      return sourceCode.getText(parent.test).split(" && ").includes(guard);
    };
    const check = (node, key) => {
      if (key.type === "Literal" || usesOwnPropertyOnly(node)) return;
      if (canBeAnyString(services.getTypeAtLocation(key), checker))
        context.report({ node, messageId: "lookup" });
    };
    return {
      "MemberExpression[computed=true]": (node) => check(node, node.property),
      "BinaryExpression[operator='in']": (node) => check(node, node.left),
      "ObjectPattern > Property[computed=true]": (node) => check(node, node.key),
    };
  },
};
