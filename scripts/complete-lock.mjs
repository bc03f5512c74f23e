// After `npm install` from a registry that lacks the packages of other platforms, npm leaves them out of the lock file, or
// lists them without integrity: then `npm ci` refuses the file, or takes those packages unverified. This adds what is
// missing: the version its parent names, the platform its own name tells, and the integrity as the registry has it. Prints
// what it did; exit 1 where the registry does not know a package.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const systems = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 's390x', 'riscv64', 'x64'];

for (const [parent, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const words = name.split(/[-/]/);
    const os = words.filter((word) => systems.includes(word));
    const cpu = words.filter((word) => processors.includes(word));
    const isKnown =
      lock.packages[`node_modules/${name}`] !== undefined || lock.packages[`${parent}/node_modules/${name}`];
    if (isKnown || os.length === 0 || cpu.length === 0 || !/^\d+\.\d+\.\d+/.test(version)) continue;
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(dev ? { dev } : {}),
      ...(words.includes('musl') ? { libc: ['musl'] } : {}),
      optional: true,
      os,
    };
    console.log(`added ${name} ${version}`);
  }
}

for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '' || entry.integrity !== undefined) continue;
  const name = path.replace(/^.*node_modules\//, '');
  const asked = spawnSync('npm', ['view', `${name}@${entry.version}`, 'dist.integrity'], { encoding: 'utf8' });
  const integrity = asked.stdout.trim();
  if (integrity.startsWith('sha512-')) {
    const { version, ...rest } = entry;
    lock.packages[path] = { version, integrity, ...rest };
    console.log(`integrity of ${name} ${version}`);
  } else {
    console.error(`The registry in use has no integrity for ${name}@${entry.version}; run this again with another.`);
    process.exitCode = 1;
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
