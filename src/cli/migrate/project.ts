import { createRequire } from 'node:module';
import type { FlowFile } from './flow-file.js';

/** The packages that a flow needs beside rxflume, by what it imports. */
const PEERS: Readonly<Record<string, readonly string[]>> = {
  'rxflume/drivers/kafkajs': ['kafkajs'],
  'rxflume/drivers/avro-rpc': ['avsc'],
  'rxflume/drivers/undici': ['undici'],
  'rxflume/drivers/webhdfs': [],
};

/** The files of a project with the flows: what `npm test` needs to type-check them and to try their interceptors. */
export function projectFiles(
  name: string,
  flows: readonly FlowFile[],
  versions: Readonly<Record<string, string>>,
): Map<string, string> {
  const files = new Map<string, string>();
  const peers = Object.keys(PEERS).filter((entry) => flows.some(({ text }) => text.includes(`'${entry}'`)));
  const dependencies = ['rxflume', 'rxjs', ...peers.flatMap((entry) => PEERS[entry] ?? [])];
  const versionsOf = (names: readonly string[]) =>
    Object.fromEntries([...names].sort().map((one) => [one, versions[one] ?? '*']));
  const manifest = {
    name: name.toLowerCase().replace(/[^a-z0-9-]+/g, '-'),
    private: true,
    type: 'module',
    scripts: {
      check: flows.map((flow) => `rxflume check ${flow.name}.ts`).join(' && '),
      start: `rxflume run ${flows[0]?.name}.ts`,
      test: 'tsc && node --import tsx --test',
    },
    dependencies: versionsOf(dependencies),
    devDependencies: versionsOf(['@types/node', 'tsx', 'typescript']),
  };
  files.set('package.json', `${JSON.stringify(manifest, null, 2)}\n`);
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
  };
  files.set('tsconfig.json', `${JSON.stringify({ compilerOptions, include: ['*.ts'] }, null, 2)}\n`);
  for (const flow of flows) {
    files.set(`${flow.name}.ts`, flow.text);
    files.set(`${flow.name}.test.ts`, testOf(flow));
  }
  return files;
}

/** A test that loads the flow, and lets events pass its interceptors: none may get lost. */
function testOf({ name, path, steps }: FlowFile): string {
  if (steps === 0) {
    return `import assert from 'node:assert/strict';
import { test } from 'node:test';
import flow from './${name}.js';

test('${name} (${path}) is a flow', () => {
  assert.equal(flow.name, '${name}');
});
`;
  }
  return `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordingAcker } from 'rxflume/testing';
import { TestScheduler } from 'rxjs/testing';
import flow, { interceptors } from './${name}.js';

test('${name} (${path}) is a flow', () => {
  assert.equal(flow.name, '${name}');
});

// Put in events of your own, and what you expect of them.
test('each event passes the interceptors, or is dropped and acked', () => {
  const acker = new RecordingAcker();
  const a = acker.deliver({ headers: { timestamp: '1700000000000' }, body: Buffer.from('hello') }, {}, 'a');
  const b = acker.deliver({ headers: {}, body: Buffer.from('world') }, {}, 'b');
  const passed: string[] = [];
  new TestScheduler(assert.deepEqual).run(({ cold, flush }) => {
    cold('a-b-|', { a, b })
      .pipe(...interceptors)
      .subscribe(({ value }) => passed.push(Buffer.from(value.body).toString()));
    flush();
  });
  assert.equal(passed.length + acker.acks.length, 2);
});
`;
}

type Versions = Readonly<Record<string, string>>;

/** The versions of packages that a project of this version of rxflume is made with. */
export function peerVersions(): Versions {
  const manifest = createRequire(import.meta.url)('rxflume/package.json') as {
    readonly version: string;
    readonly peerDependencies?: Versions;
    readonly devDependencies?: Versions;
  };
  const { version, peerDependencies = {}, devDependencies = {} } = manifest;
  return { ...devDependencies, ...peerDependencies, rxflume: `^${version}` };
}
