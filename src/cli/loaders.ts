import * as nodeModule from 'node:module';
import { pathToFileURL } from 'node:url';
import { OptionError } from '../core/errors.js';
import * as hooks from './module-hooks.js';

/** A hook that is set twice runs twice for each module. */
let hasHooks = false;
let hasTsx = false;

/**
 * What a file exports, with all that it imports loaded as `module-hooks.ts` says. A Node that does not strip types by
 * itself (before 22.18) does it with tsx, which the project then needs.
 *
 * Fails: `RXF_FLOW_FILE` where a TypeScript file needs tsx, and it is not installed; with what the file throws.
 */
export async function importFile(path: string): Promise<Record<string, unknown>> {
  if (!(process.features as { readonly typescript?: unknown }).typescript) await registerTsx(path);
  setHooks();
  // By `import()`, a Node before 24 gives TypeScript for CommonJS a `require` that cannot take modules.
  if (hooks.isCommonTypeScript(path)) return { default: nodeModule.createRequire(path)(path) };
  return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
}

function setHooks(): void {
  if (hasHooks) return;
  hasHooks = true;
  const { registerHooks } = hooks.newer;
  if (registerHooks !== undefined) registerHooks({ resolve: hooks.resolve, load: hooks.load });
  else nodeModule.register('./module-hooks.js', import.meta.url);
}

async function registerTsx(path: string): Promise<void> {
  if (hasTsx) return;
  const tsx = findTsx(path);
  if (tsx !== undefined) {
    hasTsx = true;
    // Its cache saves a moment, and where it cannot be written, as in a container with a read-only root, tsx throws.
    process.env.TSX_DISABLE_CACHE = '1';
    for (const kind of ['cjs', 'esm']) {
      const api = (await import(new URL(`dist/${kind}/api/index.mjs`, tsx).href)) as { register(): unknown };
      api.register();
    }
    return;
  }
  if (!/\.[cm]?ts$/.test(path)) return;
  throw new OptionError(
    'RXF_FLOW_FILE',
    `Node ${process.versions.node} cannot load TypeScript, and ${path} is TypeScript. Use Node 22.18 or later; or install ` +
      'tsx next to rxflume: npm install tsx@4; or compile the file and pass the .js.',
  );
}

/** Where tsx is, as the project has it installed, or as rxflume has it beside itself. */
function findTsx(path: string): URL | undefined {
  for (const from of [path, import.meta.url]) {
    try {
      return pathToFileURL(nodeModule.createRequire(from).resolve('tsx/package.json'));
    } catch {
      // Looked for further on.
    }
  }
  return undefined;
}
