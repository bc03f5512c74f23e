import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { carryOut } from './docker.js';
import { CHOICES, storedLines } from './init.js';
import { ALIASES, ENDING, FAULTY, FLOW_FILES, HELPERS, PROJECTS, WORKSPACE } from './projects.js';

interface Manifest {
  readonly version: string;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Manifest;
const typescript = `${root}node_modules/typescript/bin/tsc`;
const work = mkdtempSync(join(tmpdir(), 'rxflume-pack-'));
const staged = join(work, 'staged');
const app = join(work, 'app');
mkdirSync(app);

const ENTRIES = [
  'rxflume',
  'rxflume/operators',
  'rxflume/metrics',
  'rxflume/opentelemetry',
  'rxflume/planner',
  'rxflume/text',
  'rxflume/console',
  'rxflume/ports',
  'rxflume/inputs',
  'rxflume/inputs/parquet',
  'rxflume/formats',
  'rxflume/formats/parquet',
  'rxflume/formats/protobuf',
  'rxflume/formats/json-schema',
  'rxflume/registry',
  'rxflume/security',
  'rxflume/testing',
  'rxflume/drivers/kafkajs',
  'rxflume/drivers/webhdfs',
  'rxflume/drivers/webhdfs-package',
  'rxflume/drivers/local-disk',
  'rxflume/drivers/embedded-log',
  'rxflume/drivers/avro-rpc',
  'rxflume/drivers/node',
  'rxflume/drivers/undici',
  'rxflume/drivers/stdio',
  'rxflume/drivers/amqplib',
];

const quick = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];

/** Whether this Node loads TypeScript by itself. */
const strips = Boolean((process.features as { typescript?: unknown }).typescript);

let packed: readonly string[] = [];
let tarball = '';

// Built and packed from a copy, since other tests may read or build ./dist at the same time.
beforeAll(async () => {
  await run(root, process.execPath, [typescript, '-p', 'tsconfig.build.json', '--outDir', join(staged, 'dist')]);
  await run(root, process.execPath, ['scripts/console-page.mjs', join(staged, 'dist')]);
  for (const name of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'docs']) {
    if (existsSync(root + name)) cpSync(root + name, join(staged, name), { recursive: true });
  }
  const answer = JSON.parse(await run(staged, 'npm', ['pack', '--json', '--ignore-scripts'])) as unknown;
  const [{ filename, files }] = answer as [{ filename: string; files: { path: string }[] }];
  packed = files.map(({ path }) => path);
  tarball = join(staged, filename);

  writeFile('package.json', JSON.stringify({ private: true, type: 'module' }));
  const packages = [
    tarball,
    installed('rxjs'),
    installed('kafkajs'),
    installed('hyparquet-writer'),
    installed('@bufbuild/protobuf'),
    installed('ajv'),
    installed('@opentelemetry/api'),
  ];
  await run(app, 'npm', ['install', ...quick, ...packages]);
}, 120_000);

afterAll(() => rmSync(work, { recursive: true, force: true }));

describe('the package', () => {
  test('holds what was built, the documents, and nothing else', () => {
    const expected =
      /^(dist\/(src|operators)\/.*\.(js|d\.ts)|dist\/src\/console\/page\/(index\.html|assets\/.*\.(css|txt))|docs\/.*|README\.md|LICENSE|CHANGELOG\.md|package\.json)$/;
    expect(packed.filter((path) => !expected.test(path))).toEqual([]);
    expect(packed).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'CHANGELOG.md', 'dist/src/cli/main.js']));
  });

  test("has the console's page, its libraries and their licences", async () => {
    const code =
      "const { OWN_FILES, LIBRARIES, LICENCES, pageFile } = await import('./node_modules/rxflume/dist/src/console/page/page-files.js');" +
      "const vendor = Object.keys({ ...LIBRARIES, ...LICENCES }).map((name) => 'vendor/' + name);" +
      "const files = await Promise.all(['', ...OWN_FILES, ...vendor].map(pageFile));" +
      'console.log(files.length > 30 && files.every((file) => file.body.length > 100))';
    expect(await node(code)).toBe('true\n');
    const inPage = packed.filter((path) => path.startsWith('dist/src/console/page/assets/vendor/'));
    expect(inPage.filter((path) => path.includes('LICENSE'))).toHaveLength(4);
  });

  test('has no fault that publint or attw would find', async () => {
    expect(await run(root, process.execPath, ['scripts/check-package.mjs', tarball])).toBe('');
  }, 60_000);

  test('asks for rxjs, and for the libraries of drivers only where they are used', () => {
    const { peerDependencies, peerDependenciesMeta } = manifest;
    expect(peerDependencies).toMatchObject({
      '@opentelemetry/api': '^1.9.0',
      rxjs: '^7.8.0',
      amqplib: '^2.3.1',
      avsc: '^5.7.9',
      kafkajs: '2.2.4',
      tsx: '^4.20.0',
      undici: '^7.30.2',
      webhdfs: '^1.2.0',
    });
    for (const name of Object.keys(peerDependencies ?? {}).filter((one) => one !== 'rxjs')) {
      expect(peerDependenciesMeta).toMatchObject({ [name]: { optional: true } });
    }
  });

  test.each(ENTRIES)('%s can be imported by plain Node', async (entry) => {
    const names = await node(`console.log(Object.keys(await import('${entry}')).join(' '))`);
    expect(names.trim()).not.toBe('');
  });

  test.each(ENTRIES)('%s can be required by CommonJS', async (entry) => {
    const names = await run(app, process.execPath, [
      '--input-type=commonjs',
      '--eval',
      `console.log(Object.keys(require('${entry}')).join(' '))`,
    ]);
    expect(names.trim()).not.toBe('');
  });

  test('brings no install script, and nothing that is compiled', () => {
    expect(readdirSync(join(app, 'node_modules')).filter((name) => /esbuild|tsx/.test(name))).toEqual([]);
    const lock = JSON.parse(readFileSync(join(app, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { hasInstallScript?: boolean }>;
    };
    expect(Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript === true)).toEqual([]);
  });

  test.each([
    ["(await import('rxflume/drivers/amqplib')).amqplib({ urls: ['amqp://localhost'] })", 'npm install amqplib@^2'],
    ["(await import('rxflume/drivers/avro-rpc')).avroRpcServer({ port: 0 })", 'npm install avsc@5'],
    ["(await import('rxflume/drivers/undici')).undici()", 'npm install undici@7'],
    [
      "(await import('rxflume/drivers/webhdfs-package')).webhdfsPackage({ client: { host: 'nn' } })",
      'npm install webhdfs@1',
    ],
  ])('a driver whose library is not installed says which: %s', async (call, next) => {
    const code = `try { ${call} } catch (e) { console.log(e.code, e.message) }`;
    const said = await node(code);
    expect(said).toMatch(/^RXF_DRIVER_MISSING /);
    expect(said).toContain(next);
  });

  test("rxflume/formats/parquet without its library fails with Node's error, which names the library", async () => {
    const bare = join(work, 'bare');
    cpSync(join(app, 'node_modules/rxflume'), join(bare, 'node_modules/rxflume'), { recursive: true });
    symlinkSync(join(app, 'node_modules/rxjs'), join(bare, 'node_modules/rxjs'));
    const code =
      "await import('rxflume/formats'); import('rxflume/formats/parquet').catch((e) => console.log(e.code, e.message))";
    const said = await run(bare, process.execPath, ['--input-type=module', '--eval', code]);
    expect(said).toMatch(/^ERR_MODULE_NOT_FOUND Cannot find package 'hyparquet-writer' imported from /);
  });

  test('rxflume/inputs needs no library, and rxflume/inputs/parquet without its own fails with an error that names it', async () => {
    const code =
      "await import('rxflume/inputs'); import('rxflume/inputs/parquet').catch((e) => console.log(e.code, e.message))";
    const said = await run(join(work, 'bare'), process.execPath, ['--input-type=module', '--eval', code]);
    expect(said).toMatch(/^ERR_MODULE_NOT_FOUND Cannot find package 'hyparquet' imported from /);
  });

  test('rxflume alone loads no library but rxjs', async () => {
    writeFile('hooks.mjs', HOOKS);
    const loaded = await node(
      "import { register } from 'node:module'; register('./hooks.mjs', import.meta.url); await import('rxflume');",
    );
    const foreign = loaded
      .split('\n')
      .filter((url) => url !== '' && !url.startsWith('node:'))
      .filter((url) => !/\/node_modules\/(rxflume\/dist|rxjs)\//.test(url));
    expect(loaded).toContain('node_modules/rxflume/dist/src/index.js');
    expect(foreign).toEqual([]);
  }, 20_000);

  test('its types hold under strict NodeNext with libraries checked', async () => {
    writeFile('flow.ts', FLOW);
    const compilerOptions = {
      target: 'ES2022',
      module: 'NodeNext',
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      types: ['node'],
      typeRoots: [`${root}node_modules/@types`],
    };
    writeFile('tsconfig.json', JSON.stringify({ compilerOptions, files: ['flow.ts'] }));
    expect(await run(app, process.execPath, [typescript, '-p', '.'])).toBe('');
  }, 60_000);

  test.each(PROJECTS)(
    'a flow file loads in a project of type %s, however it is written',
    async (type) => {
      const manifestOf = JSON.stringify(type === 'none' ? {} : { type });
      const folder = projectOf(type, { 'package.json': manifestOf, ...HELPERS, ...FLOW_FILES });
      const loaded = await Promise.all(
        Object.keys(FLOW_FILES).map(async (name) => [name, await check(folder, name)] as const),
      );
      const expected = Object.keys(FLOW_FILES).map((name) => [name, `${name.replace('.', '-')}: at least once`]);
      expect(loaded.map(([name, text]) => [name, text.split('\n', 1)[0]])).toEqual(expected);
    },
    150_000,
  );

  test.each(PROJECTS)(
    'a flow runs in a project of type %s, by npx as a user runs it',
    async (type) => {
      const folder = projectOf(`run-${type}`, {
        'package.json': type === 'none' ? '{}' : JSON.stringify({ type }),
        'flow.ts': ENDING,
      });
      const printed = await run(folder, 'npx', ['--no-install', 'rxflume', 'run', 'flow.ts']);
      expect(printed).toMatch(/"what":"summary","message":"ending drained after/);
    },
    60_000,
  );

  test('a flow file may import by the paths of its tsconfig.json, and the TypeScript of its workspace', async () => {
    const aliased = projectOf('aliased', { 'package.json': '{}', ...ALIASES });
    expect(await check(aliased, 'src/flow.ts')).toMatch(/^aliased: at least once/);
    const workspace = projectOf('workspace', {
      'package.json': '{ "private": true, "workspaces": ["packages/*"] }',
      ...WORKSPACE,
    });
    mkdirSync(join(workspace, 'node_modules/@acme'));
    symlinkSync('../../packages/b', join(workspace, 'node_modules/@acme/b'));
    expect(await check(workspace, 'packages/a/flow.ts')).toMatch(/^workspace: at least once/);
  }, 60_000);

  test('an error of a flow file has its line, as it was written', async () => {
    const files = Object.entries(FAULTY).map(([name, [text]]) => [name, text]);
    const folder = projectOf('faulty', { 'package.json': '{}', ...Object.fromEntries(files) });
    for (const [name, [, at]] of Object.entries(FAULTY)) expect(await check(folder, name)).toMatch(at);
  }, 60_000);

  test('a TypeScript flow without a stripper says what to install', async () => {
    if (strips) return;
    writeFile('alone.ts', FLOW_FILES['module.ts'] as string);
    expect(await check(app, 'alone.ts')).toMatch(
      /^rxflume: RXF_FLOW_FILE: Node [\d.]+ cannot load TypeScript, .*npm install tsx@4/,
    );
  }, 30_000);

  test('rxflume init makes a project that installs, type-checks, passes its test and runs without services', async () => {
    const folder = join(work, 'made');
    await run(work, process.execPath, [command(app), 'init', 'made', '--yes']);
    const all = [tarball, ...['rxjs', 'kafkajs', 'io-ts', 'fp-ts', 'tsx'].map(installed)];
    await run(folder, 'npm', ['install', ...quick, '--omit=dev', ...all]);
    symlinkSync(`${root}node_modules/@types`, join(folder, 'node_modules/@types'));
    expect(await run(folder, process.execPath, [typescript, '-p', '.'])).toBe('');
    expect(await run(folder, 'npm', ['test'])).toMatch(/pass 1\n.*fail 0/s);
    await run(folder, 'npm', ['run', 'sample']);
    const printed = await run(folder, 'npm', ['start', '--', '--until-idle', '1000']);
    expect(printed).toContain('Running made, exactly once.');
    expect(printed).toMatch(/"message":"made drained after [\d.]+ s: 3 records in/);
    expect(storedLines(join(folder, '.data/lake'))).toEqual([
      '{"id":"0","kind":"sale","amount":5}',
      '{"id":"1","kind":"sale","amount":7}',
    ]);
    await expect(run(work, process.execPath, [command(app), 'init', 'made', '--yes'])).rejects.toThrow(
      'has package.json, tsconfig.json, ',
    );
  }, 180_000);

  test("that project becomes an image by deploy/docker's steps, with nothing in it that only builds", async () => {
    const image = await carryOut(`${root}deploy/docker`, join(work, 'made'), work);
    const inside = readdirSync(image.folder).sort();
    expect(inside).toEqual(['dist', 'node_modules', 'package.json', 'sbom.cdx.json']);
    expect(readdirSync(join(image.folder, 'node_modules'))).not.toContain('typescript');
    const sbom = JSON.parse(readFileSync(join(image.folder, 'sbom.cdx.json'), 'utf8')) as {
      bomFormat: string;
      components: { name: string }[];
    };
    expect(sbom.bomFormat).toBe('CycloneDX');
    expect(sbom.components.map(({ name }) => name)).toEqual(expect.arrayContaining(['rxflume', 'rxjs', 'kafkajs']));
    expect(image.user).toBe('65532:65532');
    const isFile = (path: string) => !path.endsWith('.sock');
    cpSync(join(work, 'made', '.data'), join(image.folder, '.data'), { recursive: true, filter: isFile });
    const command = image.command.map((word) => (word === '0.0.0.0:9464' ? '127.0.0.1:0' : word));
    const printed = await run(image.folder, process.execPath, [...command, '--until-idle', '500']);
    expect(printed).toContain('Serving metrics at');
    expect(printed).toMatch(/"message":"made drained after/);
  }, 180_000);

  test('rxflume init makes projects whose types hold, of each source and sink', async () => {
    const folder = join(app, 'choices');
    mkdirSync(join(folder, 'node_modules'), { recursive: true });
    for (const name of ['io-ts', 'fp-ts', '@types'])
      symlinkSync(`${root}node_modules/${name}`, join(folder, 'node_modules', name));
    for (const [source, sink] of CHOICES) {
      await run(folder, process.execPath, [
        command(app),
        'init',
        `${source}-${sink}`,
        '--source',
        source,
        '--sink',
        sink,
      ]);
    }
    const config = { extends: './kafka-hdfs/tsconfig.json', include: ['*-*/*.ts'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    expect(await run(folder, process.execPath, [typescript, '-p', '.'])).toBe('');
  }, 120_000);

  test('its command answers', async () => {
    expect(await run(app, 'npx', ['--no-install', 'rxflume', '--help'])).toMatch(/^Usage: rxflume run <file>/);
    expect(await run(app, 'npx', ['--no-install', 'rxflume', '--version'])).toBe(`${manifest.version}\n`);
  }, 30_000);
});

/** Prints the address of everything that is loaded. */
const HOOKS = `
import { writeSync } from 'node:fs';
export async function load(url, context, next) {
  writeSync(1, url + '\\n');
  return next(url, context);
}
`;

/** One flow that touches every entry. */
const FLOW = `
import { type Delivery, fileSink, flow, json, jsonLines, kafkaSource, type Receipt } from 'rxflume';
import { embeddedLog } from 'rxflume/drivers/embedded-log';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { localDisk } from 'rxflume/drivers/local-disk';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { decode, filterValue, mapValue } from 'rxflume/operators';
import type { KafkaDriver } from 'rxflume/ports';
import { MemoryKafka, RecordingAcker } from 'rxflume/testing';
import type { Observable } from 'rxjs';

export const drivers: KafkaDriver[] = [kafkajs({ brokers: ['k1:9092'] }), embeddedLog({ folder: 'log' }), new MemoryKafka()];
export const disks = [webhdfs({ nameNodes: ['http://nn1:9870'] }), localDisk({ root: '/lake' })];
const lake = fileSink<string>(localDisk(), { root: '/lake', format: jsonLines() });
export const path: Observable<Receipt> = flow(
  'typed',
  kafkaSource(new MemoryKafka(), { topics: ['chat'], groupId: 'lake' }),
  decode(json((value: unknown) => ({ text: String(value) }))),
  mapValue(({ text }) => text.trim()),
  filterValue((text) => text !== ''),
  lake.write(),
);
export const one: Delivery<number> = new RecordingAcker().deliver(1);
// @ts-expect-error a sink of texts takes no numbers
export const wrong = flow('wrong', kafkaSource(new MemoryKafka(), { topics: ['n'], groupId: 'g' }), mapValue(() => 1), lake.write());
`;

function installed(name: string): string {
  const { version } = JSON.parse(readFileSync(`${root}node_modules/${name}/package.json`, 'utf8')) as {
    version: string;
  };
  return `${name}@${version}`;
}

/** A project of its own below the one where the package is installed. */
function projectOf(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(app, strips ? '' : 'with-tsx', name);
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  if (!strips) symlinkSync(`${root}node_modules/tsx`, join(folder, 'node_modules/tsx'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

function writeFile(name: string, text: string): void {
  writeFileSync(join(app, name), text);
}

/** The command, as it is installed in a folder. */
function command(folder: string): string {
  return join(folder, 'node_modules/rxflume/dist/src/cli/main.js');
}

/** What `rxflume check` says, with a folder for temporary files that cannot be written. */
async function check(folder: string, file: string): Promise<string> {
  try {
    return await run(folder, process.execPath, [command(app), 'check', file], { TMPDIR: '/proc/nowhere' });
  } catch (error) {
    return String((error as Error).message).split('failed:\n')[1] as string;
  }
}

function node(code: string): Promise<string> {
  return run(app, process.execPath, ['--input-type=module', '--eval', code]);
}

async function run(folder: string, program: string, args: readonly string[], more: object = {}): Promise<string> {
  // What npm tells the script that it runs would point a further npm back to this repository.
  const { npm_config_local_prefix: _, npm_package_json: __, INIT_CWD: ___, NODE_OPTIONS: ____, ...env } = process.env;
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd: folder,
      env: { ...env, ...more },
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
