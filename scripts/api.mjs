// npm run api: the public surface of each entry as a report in etc/, which a reviewer reads to see what a change adds, removes
// or renames. Without an option the reports are compared, and exit 1 says which are stale; --update writes them.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const root = fileURLToPath(new URL('..', import.meta.url));
const options = process.argv.slice(2);
if (options.some((option) => option !== '--update')) {
  console.error('Usage: npm run api [-- --update]');
  process.exit(2);
}
const isUpdating = options.includes('--update');
const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const work = mkdtempSync(join(tmpdir(), 'rxflume-api-'));
symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'));

/** The entries, but the drivers: what these add to `ports` are their options, which are documented. */
const entries = Object.entries(exports)
  .filter(([, files]) => files.types !== undefined && !files.types.includes('*'))
  .map(([entry, { types }]) => ({ report: [name, ...entry.split('/').slice(1)].join('-'), types }));

/** The settings of API Extractor for one entry. The docstrings have a grammar of their own, which is not TSDoc's. */
function configOf({ report, types }) {
  const none = { logLevel: 'none', addToApiReportFile: false };
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: work,
      mainEntryPointFilePath: join(work, types),
      compiler: { overrideTsconfig: { compilerOptions: compilerOptions(), include: ['dist'] } },
      apiReport: {
        enabled: true,
        reportFolder: join(work, 'etc'),
        reportTempFolder: join(work, 'etc'),
        reportFileName: report,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: none },
        extractorMessageReporting: { default: none },
        tsdocMessageReporting: { default: none },
      },
      newlineKind: 'lf',
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, 'package.json'),
  });
}

function compilerOptions() {
  const { compilerOptions: ours } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  return { ...ours, rootDir: work, paths: {} };
}

function main() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const built = spawnSync(
    process.execPath,
    [tsc, '-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--outDir', join(work, 'dist')],
    { cwd: root, stdio: 'inherit' },
  );
  if (built.status !== 0) return built.status ?? 1;
  const configs = entries.map(configOf);
  const compilerState = CompilerState.create(configs[0], {
    additionalEntryPoints: configs.slice(1).map(({ mainEntryPointFilePath }) => mainEntryPointFilePath),
  });
  mkdirSync(join(work, 'etc'), { recursive: true });
  mkdirSync(join(root, 'etc'), { recursive: true });
  const stale = configs.filter((config) => {
    Extractor.invoke(config, {
      compilerState,
      localBuild: true,
      messageCallback: (message) => {
        message.handled = true;
      },
    });
    const made = readFileSync(config.reportFilePath, 'utf8');
    const kept = join(root, 'etc', config.reportFilePath.split('/').at(-1));
    const before = textOf(kept);
    if (made === before) return false;
    if (isUpdating) writeFileSync(kept, made);
    return true;
  });
  const names = stale.map(({ reportFilePath }) => `etc/${reportFilePath.split('/').at(-1)}`).join(', ');
  if (stale.length === 0) return 0;
  if (isUpdating) console.log(`Written: ${names}.`);
  else
    console.error(
      `The public surface is not as in ${names}. Run \`npm run api -- --update\`, and commit what it changes if you meant it.`,
    );
  return isUpdating ? 0 : 1;
}

function textOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

try {
  process.exitCode = main();
} finally {
  rmSync(work, { recursive: true, force: true });
}
