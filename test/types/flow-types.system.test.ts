import { expect, test } from '@jest/globals';
import ts from 'typescript';
import { root } from '../docs/markdown.js';

const HEAD = `
import * as t from 'io-ts';
import { fileSink, flow, json, jsonLines, kafkaSource, type Delivery } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { localDisk } from 'rxflume/drivers/local-disk';
import * as o from 'rxflume/operators';
import type { Observable } from 'rxjs';
const source = kafkaSource(kafkajs({ brokers: ['k:9092'] }), { topics: ['chat'], groupId: 'g' });
const Message = t.type({ lang: t.string, text: t.string });
`;

/** What the compiler says of a program, by its first words. */
function errorsOf(programs: Readonly<Record<string, string>>): Record<string, string[]> {
  const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const sources = new Map(
    Object.entries(programs).map(([name, code]) => [`${root}test/types/${name}.virtual.ts`, HEAD + code]),
  );
  const host = ts.createCompilerHost(options);
  const onDisk = { exists: host.fileExists, read: host.readFile };
  host.fileExists = (file) => sources.has(file) || onDisk.exists(file);
  host.readFile = (file) => sources.get(file) ?? onDisk.read(file);
  const program = ts.createProgram([...sources.keys()], { ...options, noUnusedLocals: false }, host);
  return Object.fromEntries(
    [...sources.keys()].map((file, at) => {
      const found = program.getSemanticDiagnostics(program.getSourceFile(file));
      return [
        Object.keys(programs)[at] as string,
        found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' ').slice(0, 1_000)),
      ];
    }),
  );
}

const TEN = (path: string) => `
const lake = fileSink<{ lang: string; words: string[]; size: number }>(localDisk(), {
  root: '/lake',
  path: (value) => ${path},
  format: jsonLines(),
});
export const values$: Observable<Delivery<{ lang: string; words: string[]; size: number }>> = source.pipe(
  o.deadLetter((letters) => lake.write()(letters.pipe(o.mapValue(({ code }) => ({ lang: code, words: [], size: 0 }))))),
  o.timeoutUnsettled({ name: 'all', afterMs: 1_000 }),
  o.decode(json(Message)),
  o.filterValue(({ lang }) => lang === 'zh'),
  o.dedupeBy(({ text }) => text, { windowMs: 1_000 }),
  o.mapValue(({ lang, text }) => ({ lang, words: text.split(' ') })),
  o.splitValue(({ lang, words }) => words.map((word) => ({ lang, words: [word] }))),
  o.rateLimit({ count: 1, perMs: 1 }),
  o.mapValueAsync(async (value) => ({ ...value, size: value.words.length })),
).pipe(o.inFlightWindow({ count: 9 }));
export const receipts$ = values$.pipe(lake.write());
`;

test('the type of a value goes through ten operators to the path and the format of the sink', () => {
  const errors = errorsOf({
    right: TEN('value.lang.concat(String(value.size))'),
    'missing-field': TEN('value.language'),
    'wrong-sink': `
      const lake = fileSink<{ text: number }>(localDisk(), { root: '/lake', format: jsonLines() });
      export default flow('x', source, o.decode(json(Message)), lake.write());`,
    'missing-branch': `
      source.pipe(o.tee({ one: (s) => s, two: (s) => s }, { required: ['three'] }));`,
    aggregate: `
      export const sums$: Observable<Delivery<o.Aggregate<string, number>>> = source.pipe(
        o.decode(json(Message)),
        o.aggregateByKey(({ lang }) => lang, { windowMs: 1, initial: () => 0, add: (sum: number) => sum + 1 }));`,
    'wrong-key': `
      source.pipe(o.decode(json(Message)), o.dedupeBy(({ name }) => name, { windowMs: 1 }));`,
    'wrong-write': `
      source.pipe(o.decode(json(Message)), o.transmit(o.retryWrite(async (value: number) => value)));`,
  });
  expect(errors.right).toEqual([]);
  expect(errors.aggregate).toEqual([]);
  expect(errors['missing-field']).toEqual([expect.stringContaining("Property 'language' does not exist")]);
  expect(errors['wrong-key']).toEqual([expect.stringContaining("Property 'name' does not exist")]);
  expect(errors['wrong-sink']?.length).toBeGreaterThan(0);
  expect(errors['missing-branch']).toEqual([expect.stringContaining('"three"')]);
  expect(errors['wrong-write']?.length).toBeGreaterThan(0);
}, 120_000);

const RAW = {
  filter: 'x.filter(({ value }) => value !== null)',
  take: 'x.take(1)',
  skip: 'x.skip(1)',
  debounceTime: 'x.debounceTime(1)',
  throttleTime: 'x.throttleTime(1)',
  distinctUntilChanged: 'x.distinctUntilChanged()',
  share: 'x.share()',
  sampleTime: 'x.sampleTime(1)',
  'mergeMap to several': 'x.mergeMap((delivery) => x.of(delivery, delivery))',
  switchMap: 'x.switchMap((delivery) => x.of(delivery))',
  repeat: 'x.repeat(2)',
  'a pipe of them': 'x.pipe(x.filter(({ value }: Delivery<Buffer | null>) => value !== null), x.take(1))',
  'a function of one’s own': '(source: Observable<Delivery<Buffer | null>>) => source.pipe(x.take(1))',
};

const SAFE = {
  'map over with': 'o.trusted(x.map((delivery) => delivery.with(delivery.value?.length ?? 0)))',
  tap: 'o.trusted(x.tap(({ value }) => value?.length)), o.mapValue((value) => value?.length ?? 0)',
  delay: 'o.trusted(x.delay(1)), o.mapValue((value) => value?.length ?? 0)',
  'several of ours in one':
    'o.trusted((source: Observable<Delivery<Buffer | null>>) => source.pipe(o.filterValue((value) => value !== null), o.mapValue((value) => value.length)))',
  'all of ours': `o.timeoutUnsettled({ name: 'all', afterMs: 1 }), o.dedupeBy((value) => String(value), { windowMs: 1 }),
    o.splitValue((value) => [value]), o.inFlightWindow({ count: 1 }), o.mapValueAsync(async (value) => value),
    o.batch({ count: 9 }), o.mapValue((values) => values.length)`,
};

test('a flow takes no raw operators of RxJS, which may drop or copy deliveries, and says what to use instead', () => {
  const inFlow = (step: string) => `
    import * as x from 'rxjs';
    const lake = fileSink<number>(localDisk(), { root: '/lake', format: jsonLines() });
    export const receipts$ = flow('one', source, ${step}, lake.write());`;
  const counted = Object.entries(RAW).map(([name, step]) => [
    name,
    inFlow(`${step}, o.mapValue((value) => value?.length ?? 0)`),
  ]);
  const safe = Object.entries(SAFE).map(([name, step]) => [name, inFlow(step)]);
  const errors = errorsOf(Object.fromEntries([...counted, ...safe]));
  for (const name of Object.keys(RAW)) {
    const text = errors[name]?.join('\n');
    expect([name, text]).toEqual([
      name,
      expect.stringContaining('use filterValue, splitValue, tee … of rxflume/operators'),
    ]);
  }
  for (const name of Object.keys(SAFE)) expect([name, errors[name]]).toEqual([name, []]);
}, 120_000);

const DECODED = 'o.decode(json(Message))';
const LONGER = 'o.mapValue(({ lang, text }) => ({ lang, text: text + lang }))';
const END = `lake.write()`;
const LAKE = `
    const lake = fileSink<{ lang: string; text: string }>(localDisk(), { root: '/lake', format: jsonLines() });
    const count = async ({ text }: { text: string }) => text.length;`;
const steps = (count: number, last = END, at = count, wrong = '') =>
  [
    DECODED,
    ...Array.from({ length: count - 1 }, (_, step) => (step + 2 === at && wrong !== '' ? wrong : LONGER)),
    last,
  ].join(',\n      ');
const composed = (parts: string, type = 'Receipt') => `
    import type { Flow, Receipt } from 'rxflume';${LAKE}
    export const one: Flow<${type}> = flow('one', source,
      ${parts});`;

test('a flow takes up to twenty operators, and ends in a sink or in transmit', () => {
  const wrong = 'o.mapValue(({ lang, name }) => ({ lang, text: name }))';
  const errors = errorsOf({
    one: composed(steps(1)),
    nine: composed(steps(9)),
    ten: composed(steps(10)),
    twenty: composed(steps(20)),
    'twenty-one': composed(steps(21)),
    transmit: composed(steps(20, 'o.transmit(count)'), 'number'),
    'transmit-in-place': composed(steps(2, 'o.transmit(async ({ text }) => text.length)'), 'number'),
    'transmit-of-another': composed(steps(3, 'o.transmit(async (value: number) => value)'), 'number'),
    'wrong-step': composed(steps(20, END, 12, wrong)),
    'wrong-order': composed(steps(20, END, 12, 'o.mapValue(({ lang }) => lang)')),
    unsettled: composed(steps(3, 'o.mapValue(({ text }) => text)'), 'unknown'),
    raw: `import * as x from 'rxjs';${composed(steps(3, 'x.map(({ value }) => value.text)'), 'string')}`,
  });
  for (const name of ['one', 'nine', 'ten', 'twenty', 'transmit', 'transmit-in-place']) {
    expect([name, errors[name]]).toEqual([name, []]);
  }
  // One error, at the step that is wrong, of the types that differ.
  expect(errors['wrong-step']).toEqual([
    expect.stringMatching(/^Property 'name' does not exist on type '\{ lang: string;/),
  ]);
  expect(errors['wrong-order']?.[0]).toBe("Property 'lang' does not exist on type 'String'.");
  expect(errors['twenty-one']).toContain('Expected 3-23 arguments, but got 24.');
  expect(errors['transmit-of-another']).toEqual([
    expect.stringContaining("Type '{ lang: string; text: string; }' is not assignable to type 'number'."),
  ]);
  // What settles nothing is no end.
  for (const name of ['unsettled', 'raw']) {
    expect([name, errors[name]]).toEqual([
      name,
      [expect.stringMatching(/^Argument of type .* is not assignable to parameter of type 'End</)],
    ]);
  }
}, 120_000);
