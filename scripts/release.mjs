// npm run release: see HELP in release-plan.mjs, which decides; this does it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { actionOf, HELP, notesOf, problemsOf, publishArguments } from './release-plan.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.release');

/** A step that fails ends the release, with what it said. */
class Failed extends Error {}

function run(name, command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0)
    throw new Failed(`${name} failed (${command} ${args.join(' ')}):\n${stdout ?? ''}${stderr ?? error}`);
  return stdout;
}

function read(name) {
  return readFileSync(join(root, name), 'utf8');
}

function release(action) {
  const manifest = JSON.parse(read('package.json'));
  const { name, version } = manifest;
  const changelog = read('CHANGELOG.md');
  const status = run('git status', 'git', ['status', '--porcelain']);
  const tags = run('git tag', 'git', ['tag', '--list']).split('\n');
  const problems = problemsOf({
    action,
    manifest,
    lock: JSON.parse(read('package-lock.json')),
    changelog,
    status,
    tags,
  });
  if (problems.length > 0) throw new Failed(`${name} ${version} cannot be released:\n- ${problems.join('\n- ')}`);

  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  console.log(`Building ${name} ${version}.`);
  run('The build', 'npm', ['run', '-s', 'build']);
  const packed = run('npm pack', 'npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]);
  const [{ filename, size, integrity }] = JSON.parse(packed);
  const tarball = join(folder, filename);
  console.log(`Packed .release/${filename}: ${size} bytes, ${integrity}.`);
  run('The check of the package', process.execPath, ['scripts/check-package.mjs', tarball]);
  console.log('publint and attw find no fault.');
  const bill = `${name}-${version}.cdx.json`;
  writeFileSync(join(folder, bill), billOfMaterials(name));
  console.log(`Written .release/${bill}.`);
  run('npm publish', 'npm', publishArguments(action, version, tarball));
  if (action === 'dry-run') console.log(`${name} ${version} can be published; nothing was.`);
  else console.log(`Published ${name} ${version}. Tag it: git tag v${version}\n\n${notesOf(changelog, version)}`);
}

/** CycloneDX, of what is installed with the package. npm takes the folder for the name. */
function billOfMaterials(name) {
  const args = ['--omit', 'dev', '--package-lock-only', '--sbom-format', 'cyclonedx', '--sbom-type', 'library'];
  const bill = JSON.parse(run('npm sbom', 'npm', ['sbom', ...args]));
  bill.metadata.component.name = name;
  return `${JSON.stringify(bill, null, 2)}\n`;
}

const action = actionOf(process.argv.slice(2));
if (action === 'help') console.log(HELP);
else if (action === 'usage') {
  console.error(HELP);
  process.exitCode = 2;
} else {
  try {
    release(action);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
