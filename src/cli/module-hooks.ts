import { existsSync, readFileSync, statSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';
import { aliasesOf } from './path-aliases.js';

/** The parts of the arguments of Node's hooks that are used here. */
export interface HookContext {
  readonly format?: string | null | undefined;
  readonly parentURL?: string | undefined;
  readonly conditions?: readonly string[];
}

type Next = (target: string, context?: HookContext) => unknown;

/**
 * Node's hook for addresses: a relative one without an extension, or with `.js` where only the TypeScript exists, means the
 * file that is there, as in projects whose compiler is configured so. Works as a synchronous hook and as one on Node's own thread.
 */
export function resolve(specifier: string, context: HookContext, next: Next): unknown {
  const { parentURL } = context;
  if (parentURL === undefined || !isOwnFile(parentURL)) return next(specifier, context);
  if (!/^\.{1,2}(\/|$)/.test(specifier)) {
    const aliased = aliasesOf(specifier, fileURLToPath(parentURL))
      .map(fileFor)
      .find((found) => found !== undefined);
    return next(aliased ?? specifier, context);
  }
  const [path, query] = specifier.split(/(?=[?#])/, 2) as [string, string?];
  if (isFile(new URL(path, parentURL))) return next(specifier, context);
  const found = candidatesFor(path).find((candidate) => isFile(new URL(candidate, parentURL)));
  return next(found === undefined ? specifier : found + (query ?? ''), context);
}

/** What newer Nodes have of `node:module`. */
export const newer = nodeModule as {
  /** From 22.13. */
  readonly stripTypeScriptTypes?: (
    text: string,
    options: { readonly mode: 'strip' | 'transform'; readonly sourceMap?: boolean },
  ) => string;
  /** From 22.15. */
  readonly registerHooks?: (hooks: object) => unknown;
};

/**
 * Node's hook for sources: a file of the project that is written with `import` or `export` is a module, whatever
 * `package.json` says of its type, and TypeScript is taken without its types.
 */
export function load(url: string, context: HookContext, next: Next): unknown {
  const extension = isOwnFile(url) ? /\.([cm]?ts|js)(?:[?#]|$)/.exec(url)?.[1] : undefined;
  if (extension === undefined) return next(url, context);
  const isTypeScript = extension !== 'js';
  const isSaidModule = extension === 'mts' || /^module/.test(context.format ?? '');
  if (isSaidModule && !isTypeScript) return next(url, context);
  const { isModule, source } = read(fileURLToPath(url), isTypeScript);
  if (!isModule && !isSaidModule) return next(url, context);
  // Without a source there is no stripper here: the hooks behind these have one, and lack only what the file is.
  return source === undefined
    ? next(url, { ...context, format: 'module' })
    : { format: 'module', source, shortCircuit: true };
}

/** Whether a file is TypeScript for CommonJS, with `require` and `exports`. */
export function isCommonTypeScript(path: string): boolean {
  return /\.c?ts$/.test(path) && !read(path, true).isModule;
}

/** How a file is written, and its JavaScript where that can be had here. */
function read(
  path: string,
  isTypeScript: boolean,
): { readonly isModule: boolean; readonly source: string | undefined } {
  const text = readFileSync(path, 'utf8');
  const { stripTypeScriptTypes: strip } = newer;
  if (isTypeScript && strip === undefined) return { isModule: looksLikeModule(text), source: undefined };
  const source = isTypeScript && strip !== undefined ? withoutTypes(path, text, strip) : text;
  return { isModule: isWrittenAsModule(source), source };
}

/** A file of the project itself: what is installed keeps to what its own package says. */
function isOwnFile(url: string): boolean {
  return url.startsWith('file:') && !url.includes('/node_modules/');
}

function candidatesFor(path: string): string[] {
  const typed = path.replace(/\.([cm]?)js$/, '.$1ts');
  const ends = ['.ts', '.js', '.mts', '.mjs', '.cts', '.cjs', '/index.ts', '/index.js'];
  return [...(typed === path ? [] : [typed]), ...ends.map((end) => path.replace(/\/$/, '') + end)];
}

/** The address of the file that a path means, with or without its extension. */
function fileFor(path: string): string | undefined {
  return [path, ...candidatesFor(path)].map((one) => pathToFileURL(one)).find(isFile)?.href;
}

function isFile(url: URL): boolean {
  return existsSync(url) && statSync(url).isFile();
}

/** Asks Node's own parser, with the messages by which Node itself tells modules. */
function isWrittenAsModule(source: string): boolean {
  try {
    compileFunction(source.replace(/^#!.*/, ''), ['exports', 'require', 'module', '__filename', '__dirname']);
    return false;
  } catch (error) {
    return /Cannot use import statement outside a module|Unexpected token 'export'|Cannot use 'import\.meta' outside a module/.test(
      String(error),
    );
  }
}

/** The same of TypeScript that cannot be parsed here: a line that begins with `import` or `export` and is no `import()`. */
function looksLikeModule(text: string): boolean {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return /^\s*(import\s*['"{*]|import\s+(?!\w+\s*=)[\w{*]|export\s+(?!=))/m.test(code);
}

function withoutTypes(path: string, text: string, strip: NonNullable<typeof newer.stripTypeScriptTypes>): string {
  const { emitWarning } = process;
  // Node says at each start that the function is experimental, between the lines of the log.
  process.emitWarning = () => undefined;
  try {
    return strip(text, { mode: 'strip' });
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') throw located(error, path);
    process.setSourceMapsEnabled(true);
    return strip(text, { mode: 'transform', sourceMap: true });
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** The stripper knows the line, and not the file. */
function located(error: unknown, path: string): unknown {
  if (error instanceof Error && error.stack?.startsWith(':')) error.stack = path + error.stack;
  return error;
}
