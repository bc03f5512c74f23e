import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { bad, type Finding, ok } from './finding.js';
import { fits } from './version-range.js';

/** A package as it is found from somewhere. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
}

/** What this command, and a flow file, run on. */
export interface Installation {
  readonly node: string;
  readonly nodeRange: string;
  /** This package, as the command is part of it. */
  readonly own: InstalledPackage;
  /** The same package as the flow file finds it; undefined where it finds none by that name. */
  readonly ofFlow: InstalledPackage | undefined;
  /** The packages that this one works with: the range it takes, and what is found from it and from the flow file. */
  readonly peers: readonly {
    readonly name: string;
    readonly range: string;
    readonly isOptional: boolean;
    readonly found: InstalledPackage | undefined;
    readonly ofFlow: InstalledPackage | undefined;
  }[];
}

interface PackageJson {
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** Looks at what is installed, from here and from a flow file. */
export function installationOf(file: string): Installation {
  const path = createRequire(import.meta.url).resolve('rxflume/package.json');
  const { version, engines, peerDependencies, peerDependenciesMeta } = JSON.parse(
    readFileSync(path, 'utf8'),
  ) as PackageJson;
  const peers = Object.entries(peerDependencies).map(([name, range]) => ({
    name,
    range,
    isOptional: peerDependenciesMeta[name]?.optional === true,
    found: found(name, path),
    ofFlow: found(name, file),
  }));
  const own = { name: 'rxflume', version, folder: realpathSync(dirname(path)) };
  return { node: process.versions.node, nodeRange: engines.node, own, ofFlow: found('rxflume', file), peers };
}

/** As Node finds it: in the `node_modules` of each folder above. Its `exports` may hide its package.json. */
function found(name: string, from: string): InstalledPackage | undefined {
  for (const folder of createRequire(from).resolve.paths(name) ?? []) {
    const path = join(folder, name, 'package.json');
    if (!existsSync(path)) continue;
    const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
    return { name, version, folder: realpathSync(dirname(path)) };
  }
  return undefined;
}

/** Whether a flow can run on it. Pure. */
export function checkInstallation({ node, nodeRange, own, ofFlow, peers }: Installation): Finding[] {
  const wrongNode = bad(
    'environment',
    'node',
    `Node ${node} is not supported (${nodeRange})`,
    `Install Node ${nodeRange}.`,
  );
  const findings = [fits(node, nodeRange) ? ok('node', `Node ${node} (${nodeRange} is needed)`) : wrongNode];
  if (ofFlow !== undefined && ofFlow.folder !== own.folder) findings.push(twoCopies(own, ofFlow));
  const fitting: string[] = [`rxflume ${own.version}`];
  for (const { name, range, isOptional, found: peer, ofFlow: flows } of peers) {
    if (peer === undefined) {
      const text = `${name} is not installed, and rxflume does not run without it`;
      if (!isOptional) findings.push(bad('environment', 'packages', text, `npm install ${name}@"${range}"`));
      continue;
    }
    if (!fits(peer.version, range)) {
      const text = `${name} ${peer.version} is not what rxflume works with (${range})`;
      findings.push(bad('environment', 'packages', text, `npm install ${name}@"${range}"`, peer.folder));
    } else fitting.push(`${name} ${peer.version}`);
    // An Observable of one copy is none to the other's `instanceof`.
    if (name === 'rxjs' && flows !== undefined && flows.folder !== peer.folder) findings.push(twoCopies(peer, flows));
  }
  return [...findings, ok('packages', fitting.join(', '))];
}

function twoCopies(own: InstalledPackage, other: InstalledPackage): Finding {
  const text = `There are two copies of ${own.name}: ${own.version} at ${own.folder}, and ${other.version} at ${other.folder}`;
  const fix = `Have one version in all package.json (npm ls ${own.name}, npm dedupe), and run the command by npx in the flow's project.`;
  return bad('environment', 'copies', text, fix);
}
