import ts from 'typescript';

/** What tells each: an origin (a record of Kafka is one), a delivery, a message of RabbitMQ. */
const KINDS = [
  { what: 'an origin', properties: ['stream', 'offset', 'epoch'] },
  { what: 'a delivery', properties: ['origin', 'acker', 'seq'] },
  { what: 'a message', properties: ['deliveryTag', 'routingKey', 'content'] },
];

const isLiteral = ({ symbol }) => ((symbol?.flags ?? 0) & ts.SymbolFlags.ObjectLiteral) !== 0;

function kindOf(type) {
  // What an object literal made has no other properties than its own.
  const each = (type.isUnion() ? type.types : [type]).filter((one) => !isLiteral(one));
  return KINDS.find(({ properties }) =>
    each.some((one) =>
      properties.every((name) => {
        const property = one.getProperty(name);
        return property !== undefined && (property.flags & ts.SymbolFlags.Optional) === 0;
      }),
    ),
  );
}

/**
 * Copies of own properties: `{ ...origin }`, `const { key, ...rest } = origin`, `Object.assign({}, origin)`,
 * `Object.create(origin)`. Real drivers hand out objects with getters on their prototypes over private fields, of which a
 * copy has nothing, and which answer to no object made from theirs.
 */
export const copiedOrigin = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      copied:
        'This copies own properties of {{what}}, and a driver may have made it with getters: use derivedOrigin (src/delivery/derived-origin.ts), or name what you take.',
    },
  },
  create(context) {
    const services = context.sourceCode.parserServices;
    const look = (node, of) => {
      const kind = kindOf(services.getTypeAtLocation(of));
      if (kind !== undefined) context.report({ node, messageId: 'copied', data: { what: kind.what } });
    };
    return {
      'ObjectExpression > SpreadElement': (node) => look(node, node.argument),
      'ObjectPattern > RestElement': (node) => look(node, node.parent),
      'CallExpression[callee.object.name="Object"][callee.property.name=/^(assign|create|entries)$/]': (node) => {
        for (const argument of node.arguments.slice(node.callee.property.name === 'assign' ? 1 : 0, 9)) {
          if (argument.type !== 'SpreadElement') look(node, argument);
        }
      },
    };
  },
};
