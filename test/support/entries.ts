import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** The source files behind the entries of the package, drivers included, by their path in the repository: as package.json exports them. */
export function entryFiles(): string[] {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  };
  return Object.values(exports).flatMap((target) => {
    if (typeof target === 'string') return [];
    const file = target.default.replace(/^\.\/dist\//, '').replace(/\.js$/, '.ts');
    const [folder = '', rest] = file.split('*');
    return rest === undefined ? [file] : readdirSync(join(root, folder)).map((name) => folder + name + rest);
  });
}
