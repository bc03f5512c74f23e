// npm run new -- operator fooBar: an operator with its test, its export and its row in the documentation, to start from.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [kind, name, ...more] = process.argv.slice(2);
if (kind !== 'operator' || !/^[a-z][A-Za-z0-9]*$/.test(name ?? '') || more.length > 0) {
  console.error('Usage: npm run new -- operator fooBar\nThe name is a verb in camelCase.');
  process.exit(2);
}
const file = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const code = `operators/${file}.ts`;
const test = `test/operators/${file}.test.ts`;
const index = 'operators/index.ts';
const page = 'docs/guides/operators.md';
for (const path of [code, test]) {
  if (existsSync(join(root, path))) {
    console.error(`${path} exists already. Choose another name.`);
    process.exit(1);
  }
}

write(
  code,
  `import { expectFunction } from '../src/core/options.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { eachDelivery } from '../src/delivery/each-delivery.js';
import { nackErrorOfThrown } from '../src/delivery/nack-errors.js';

/**
 * Changes each delivery's value by \`project\`; the acker goes with the new one.
 *
 * \`\`\`
 * values  -a-b-|
 *         ${name}(x => x + x)
 * result  -A-B-|        a becomes aa, shown as A
 * acks    --a-b-        the sink acks the result, which acks the delivery
 * \`\`\`
 *
 * Settles: nacks a delivery for which \`project\` throws, with \`RXF_OPERATOR_FAILED\`.
 * Bounds: nothing is held.
 */
export function ${name}<T, U>(project: (value: T, delivery: Delivery<T>) => U): DeliveryOperator<T, U> {
  expectFunction('project', project);
  return deliveryOperator(
    '${name}',
    'kept',
    eachDelivery((delivery: Delivery<T>) => {
      try {
        return delivery.with(project(delivery.value, delivery));
      } catch (cause) {
        delivery.nack(nackErrorOfThrown('project of ${name}', cause, delivery));
        return undefined;
      }
    }),
  );
}
`,
);
write(
  test,
  `import { describe, expect, it } from '@jest/globals';
import { delay, mergeMap, of, tap } from 'rxjs';
import { ${name} } from '../../operators/${file}.js';
import { OptionError } from '../../src/core/errors.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { drawn } from './marbles.js';

describe('${name}', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '-a-b-|';
      const result = '-A-B-|';
      const acks = '  --a-b-';
      const result$ = deliveries(values).pipe(
        ${name}((x) => x + x),
        mergeMap((delivery) => {
          of(delivery).pipe(delay(1)).subscribe((one) => one.ack());
          return of(delivery.value);
        }),
      );
      expectObservable(result$).toBe(result, { A: 'aa', B: 'bb' });
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(${name}((x) => x));

  it('nacks a delivery that project throws for, with a code, and lives', () =>
    drawn(({ deliveries, acker, nacks$, expectObservable, flush }) => {
      const result$ = deliveries('-a-b-|').pipe(
        ${name}((x) => {
          if (x === 'a') throw 'odd';
          return x;
        }),
        mergeMap(({ value }) => of(value)),
        tap((value) => expect(value).toBe('b')),
      );
      expectObservable(result$).toBe('---b-|');
      expectObservable(nacks$).toBe(' -a----');
      flush();
      expect(acker.causes.a).toMatchObject({ code: 'RXF_OPERATOR_FAILED', retryable: false, cause: 'odd' });
    }));

  itSettlesOnce(({ willSettle }) =>
    ${name}((value) => {
      if (value % 10 < 5) return value;
      willSettle(value, 'nack');
      throw new Error('five or more');
    }),
  );

  it('refuses a project that is not a function', () => {
    expect(() => ${name}(1 as never)).toThrow(OptionError);
  });
});
`,
);
write(index, `${read(index)}export { ${name} } from './${file}.js';\n`);
const rows = read(page).split('\n');
const heading = rows.indexOf('## I want to …');
const end = rows.findIndex((line, at) => at > heading + 2 && line === '');
rows.splice(end, 0, `| change each value, in one word of yours | \`${name}\` | the next operator or the sink |`);
write(page, rows.join('\n'));

const biome = join(root, 'node_modules/.bin/biome');
spawnSync(biome, ['check', '--write', code, test, index], { cwd: root, stdio: 'ignore' });
console.log(
  `Made ${code}, ${test}, its export in ${index} and its row in ${page}.\n` +
    'Draw what it does: in the docstring and, to the letter, in the first test. Then write it, and say in the row what it is for.\n' +
    `  npm run unit -- operators/${file} architecture docs\n` +
    '  npm run api -- --update',
);

function read(path) {
  return readFileSync(join(root, path), 'utf8');
}

function write(path, text) {
  writeFileSync(join(root, path), text);
}
