import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/** The `paths` of a TypeScript project, and the folder that they are relative to. */
interface Paths {
  readonly folder: string;
  readonly targets: Readonly<Record<string, readonly string[]>>;
}

interface Config {
  readonly extends?: string | readonly string[];
  readonly compilerOptions?: { readonly baseUrl?: string; readonly paths?: Paths['targets'] };
}

/** By folder: a project is read once. */
const known = new Map<string, Paths | undefined>();

/**
 * The paths that a name in an import may mean by `paths` of the nearest `tsconfig.json` above the file that imports, in order;
 * none where that says nothing of the name. As TypeScript does: an exact name first, then the pattern with the longest begin.
 */
export function aliasesOf(specifier: string, importer: string): string[] {
  if (isAbsolute(specifier) || /^[a-z][a-z0-9+.-]+:/.test(specifier)) return [];
  const paths = pathsFor(dirname(importer));
  if (paths === undefined) return [];
  const { folder, targets } = paths;
  const found = Object.keys(targets)
    .map((pattern) => ({ pattern, star: starOf(pattern, specifier) }))
    .filter(({ star }) => star !== undefined)
    .sort((a, b) => rank(b.pattern) - rank(a.pattern))[0];
  if (found === undefined) return [];
  // A function, since a `$` in a name would mean something in a replacement.
  return (targets[found.pattern] ?? []).map((target) =>
    resolve(
      folder,
      target.replace('*', () => found.star as string),
    ),
  );
}

/** What `*` of the pattern is in the name: nothing where it has none; undefined where it does not match. */
function starOf(pattern: string, specifier: string): string | undefined {
  const [begin, end] = pattern.split('*', 2) as [string, string?];
  if (end === undefined) return pattern === specifier ? '' : undefined;
  const isMatch =
    specifier.length >= begin.length + end.length && specifier.startsWith(begin) && specifier.endsWith(end);
  return isMatch ? specifier.slice(begin.length, specifier.length - end.length) : undefined;
}

function rank(pattern: string): number {
  return pattern.includes('*') ? pattern.indexOf('*') : Number.POSITIVE_INFINITY;
}

/** Of the nearest project above a folder, whether it has any or not. */
function pathsFor(folder: string): Paths | undefined {
  if (known.has(folder)) return known.get(folder);
  const file = join(folder, 'tsconfig.json');
  const above = dirname(folder);
  const paths = existsSync(file) ? pathsIn(file) : above === folder ? undefined : pathsFor(above);
  known.set(folder, paths);
  return paths;
}

/** The most files that extend each other: a circle of them would not end. */
const MAX_DEPTH = 20;

function pathsIn(file: string, depth = 0): Paths | undefined {
  if (depth > MAX_DEPTH) return undefined;
  let config: Config;
  try {
    config = JSON.parse(withoutComments(readFileSync(file, 'utf8'))) as Config;
  } catch {
    // The compiler says what is wrong with it; the flow may well run without.
    return undefined;
  }
  const { paths, baseUrl } = config.compilerOptions ?? {};
  if (paths !== undefined) return { folder: resolve(dirname(file), baseUrl ?? '.'), targets: paths };
  // The last one wins.
  for (const base of [config.extends ?? []].flat().reverse()) {
    const inherited = pathsOfBase(base, file, depth + 1);
    if (inherited !== undefined) return inherited;
  }
  return undefined;
}

function pathsOfBase(base: string, file: string, depth: number): Paths | undefined {
  if (/^\.{0,2}\//.test(base)) {
    const path = resolve(dirname(file), base);
    const found = [path, `${path}.json`].find((one) => one.endsWith('.json') && existsSync(one));
    return found === undefined ? undefined : pathsIn(found, depth);
  }
  for (const name of [base, `${base}.json`, `${base}/tsconfig.json`]) {
    try {
      const path = createRequire(file).resolve(name);
      if (path.endsWith('.json')) return pathsIn(path, depth);
    } catch {
      // Another of its names, or none: then it has no paths for us.
    }
  }
  return undefined;
}

/** JSON as `tsconfig.json` has it: with comments, and commas before an end. Text in quotes stays as it is. */
function withoutComments(text: string): string {
  const bare = text.replaceAll(
    /("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_, quoted?: string) => quoted ?? '',
  );
  return bare
    .replace(/^\uFEFF/, '')
    .replaceAll(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, (_, quoted?: string) => quoted ?? '');
}
