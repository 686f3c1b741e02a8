/**
 * Lint rule: a key that is any text never indexes a plain object. Such an object inherits from `Object.prototype`, so `constructor`,
 * `toString` or `__proto__` from outside would find something there, and an assignment to `__proto__` would change what is inherited.
 * A table with such keys is a `Map`; an object that a library or JSON gives is read by `ownValue`, which looks at own properties alone.
 *
 * Keys whose type is a union of literals, a number or a symbol are closed sets, and are allowed; so are `Object.hasOwn(o, k) ? o[k] : ...`
 * and `delete o[k]`, which touch own properties alone.
 */
import { ESLintUtils } from "@typescript-eslint/utils";
import ts from "typescript";

const openText = ts.TypeFlags.String | ts.TypeFlags.TemplateLiteral | ts.TypeFlags.StringMapping;
const unknown = ts.TypeFlags.Any | ts.TypeFlags.Unknown;

/** Whether a value of this type may be any text. */
function isOpen(type, checker) {
  if (type.isUnion()) return type.types.some((part) => isOpen(part, checker));
  if ((type.flags & (openText | unknown)) !== 0) return true;
  if ((type.flags & ts.TypeFlags.Intersection) !== 0)
    return type.types.every((part) => isOpen(part, checker));
  const constraint = checker.getBaseConstraintOfType(type);
  return constraint !== undefined && constraint !== type && isOpen(constraint, checker);
}

export default {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      lookup:
        "Any text may be this key, and a plain object inherits properties: use a Map, or ownValue for an object of others.",
    },
  },
  create(context) {
    const { sourceCode } = context;
    const services = ESLintUtils.getParserServices(context);
    const checker = services.program.getTypeChecker();
    /** `o[k]` in the branch of a condition that says `Object.hasOwn(o, k)`, and `delete o[k]`. */
    const isOfOwn = (node) => {
      const { parent } = node;
      if (node.type !== "MemberExpression") return false;
      if (parent.type === "UnaryExpression") return parent.operator === "delete";
      if (parent.type !== "ConditionalExpression" || parent.consequent !== node) return false;
      const guard = `Object.hasOwn(${sourceCode.getText(node.object)}, ${sourceCode.getText(node.property)})`;
      return sourceCode.getText(parent.test).split(" && ").includes(guard);
    };
    const check = (node, key) => {
      if (key.type === "Literal" || isOfOwn(node)) return;
      if (isOpen(services.getTypeAtLocation(key), checker)) context.report({ node, messageId: "lookup" });
    };
    return {
      "MemberExpression[computed=true]": (node) => check(node, node.property),
      "BinaryExpression[operator='in']": (node) => check(node, node.left),
      "ObjectPattern > Property[computed=true]": (node) => check(node, node.key),
    };
  },
};
