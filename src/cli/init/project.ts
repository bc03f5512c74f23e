import { type Part, type SinkKind, type SourceKind, sinkPart, sourcePart } from './parts.js';

/** What a new project is to have. */
export interface ProjectAsked {
  readonly name: string;
  readonly source: SourceKind;
  readonly sink: SinkKind;
}

/** The versions that a project gets, by package. */
export type Versions = Readonly<Record<string, string>>;

/** For what a project has beside rxflume and its drivers. */
const OWN_VERSIONS: Versions = {
  'io-ts': '^2.2.22',
  'fp-ts': '^2.16.11',
  '@types/node': '^20.19.0',
  typescript: '^6.0.3',
};

/** The files of a project, by their paths in it. Pure. */
export function projectFiles(asked: ProjectAsked, versions: Versions): Readonly<Record<string, string>> {
  const sink = sinkPart(asked.sink);
  const source = sourcePart(asked.source, asked.name, sink.lake);
  const hasSample = source.code.includes('embeddedLog');
  return {
    'package.json': manifest(asked, [source, sink], versions, hasSample),
    'tsconfig.json': TSCONFIG,
    '.gitignore': 'node_modules/\ndist/\n.data/\n',
    'event.ts': EVENT,
    'event.test.ts': EVENT_TEST,
    'flow.ts': flowFile(asked, source, sink),
    ...(hasSample && { 'sample.ts': SAMPLE }),
  };
}

/** What is set to run the flow on the real systems. */
export function settingsOf({ source, sink, name }: ProjectAsked): readonly string[] {
  const to = sinkPart(sink);
  return [...sourcePart(source, name, to.lake).settings, ...to.settings];
}

function manifest({ name }: ProjectAsked, parts: readonly Part[], versions: Versions, hasSample: boolean): string {
  const known = { ...versions, ...OWN_VERSIONS };
  const needed = ['rxflume', 'rxjs', 'io-ts', 'fp-ts', 'tsx', ...parts.flatMap(({ packages }) => packages)];
  const of = (names: readonly string[]) =>
    Object.fromEntries([...new Set(names)].sort().map((one) => [one, known[one]]));
  const json = {
    name,
    version: '1.0.0',
    private: true,
    type: 'module',
    scripts: {
      start: 'rxflume run flow.ts',
      check: 'rxflume check flow.ts',
      doctor: 'rxflume doctor flow.ts --deep',
      ...(hasSample && { sample: 'node --import tsx sample.ts' }),
      test: 'node --import tsx --test event.test.ts',
      types: 'tsc -p .',
      build: 'tsc -p . --noEmit false --outDir dist',
    },
    dependencies: of(needed),
    devDependencies: of(['@types/node', 'typescript']),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

const TSCONFIG = `${JSON.stringify(
  {
    compilerOptions: {
      target: 'ES2022',
      module: 'NodeNext',
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      skipLibCheck: true,
      noEmit: true,
      types: ['node'],
    },
  },
  null,
  2,
)}\n`;

const EVENT = [
  "import * as t from 'io-ts';",
  '',
  '/** What a record is to hold; one that does not is set aside, or stops the flow. */',
  'export const Event = t.type({ id: t.string, kind: t.string, amount: t.number });',
  'export type Event = t.TypeOf<typeof Event>;',
  '',
  '/** Whether an event goes on to the sink. */',
  'export function isWanted(event: Event): boolean {',
  '  return event.amount > 0;',
  '}',
  '',
].join('\n');

const EVENT_TEST = `import { test } from 'node:test';
import { json } from 'rxflume';
import { decode, filterValue } from 'rxflume/operators';
import { marbles } from 'rxflume/testing';
import { Event, isWanted } from './event.js';

const record = (amount: number) => Buffer.from(JSON.stringify({ id: '1', kind: 'sale', amount }));

test('an event without an amount is dropped and acked at once, the others by the sink', () =>
  marbles((m) => {
    const stored$ = m.deliveries('-a-b-c-|', { a: record(5), b: record(0), c: record(7) }).pipe(
      decode(json(Event)),
      filterValue(isWanted),
      m.sink('------a-c'), // acks a at 6, and c at 8
    );
    m.expectObservable(stored$);
    m.expectAcks('---b--a-c');
  }));
`;

const SAMPLE = `import { embeddedLog } from 'rxflume/drivers/embedded-log';

/** Three events for a first run; the last one is dropped. */
const log = embeddedLog({ folder: '.data/log', topics: ['events'] });
await log.append(
  'events',
  [5, 7, 0].map((amount, at) => JSON.stringify({ id: String(at), kind: 'sale', amount })),
);
await log.close();
`;

function flowFile({ name, source: kind }: ProjectAsked, source: Part, sink: ReturnType<typeof sinkPart>): string {
  const deadLetter = sink.deadLetter === undefined ? '' : `, { deadLetter: ${sink.deadLetter} }`;
  const body = kind === 'flume' ? '  mapValue(({ body }) => body),\n' : '';
  const own = {
    rxflume: ['flow', 'json'],
    'rxflume/operators': ['decode', 'filterValue'],
    './event.js': ['Event', 'isWanted'],
  };
  return `${importsOf([own, source.imports, sink.imports])}
${[sink.code, source.code].filter((code) => code !== '').join('\n')}
export default flow(
  '${name}',
  source,
${body}  decode(json(Event)${deadLetter}),
  filterValue(isWanted),
  ${sink.step},
);
`;
}

/** Node's first, then packages, then files of the project; each by name. */
function importsOf(all: readonly Part['imports'][]): string {
  const names = new Map<string, Set<string>>();
  for (const [from, list] of all.flatMap((imports) => Object.entries(imports))) {
    for (const one of list) names.set(from, (names.get(from) ?? new Set()).add(one));
  }
  const rank = (from: string) => (from.startsWith('node:') ? 0 : from.startsWith('.') ? 2 : 1);
  const bare = (name: string) => name.replace(/^type /, '');
  return [...names]
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map(([from, list]) => {
      const sorted = [...list].sort((a, b) => (bare(a).toLowerCase() < bare(b).toLowerCase() ? -1 : 1));
      const isOnlyTypes = sorted.every((name) => name.startsWith('type '));
      const shown = (isOnlyTypes ? sorted.map(bare) : sorted).join(', ');
      return `import ${isOnlyTypes ? 'type ' : ''}{ ${shown} } from '${from}';\n`;
    })
    .join('');
}
