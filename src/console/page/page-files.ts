import { readFile } from 'node:fs/promises';

/** A file of the console's page, and what it is. */
export interface PageFile {
  /** For `content-type`. */
  readonly type: string;
  readonly body: Uint8Array;
}

/** The page's own files, beside this one. */
export const OWN_FILES: readonly string[] = [
  ...['app.css', 'views.css', 'app.js', 'alerts.js', 'api.js', 'charts.js', 'commands.js', 'dead-letters.js'],
  ...[
    'dialog.js',
    'files.js',
    'flow-graph.js',
    'flow-page.js',
    'format.js',
    'graph-layout.js',
    'keys.js',
    'lane-scale.js',
    'letter-dialog.js',
  ],
  ...['lanes.js', 'libraries.js', 'live-stream.js', 'log.js', 'overview.js', 'partitions.js', 'route.js', 'sign-in.js'],
  ...['state.js', 'stored-dead-letters.js', 'table-rows.js', 'table.js', 'tap.js', 'why.js'],
];

/** The libraries of the page, each with the package that has it. A build copies them to `assets/vendor`; users install none. */
export const LIBRARIES: Readonly<Record<string, string>> = {
  'preact.js': 'htm/preact/standalone.module.js',
  'uplot.js': 'uplot/dist/uPlot.iife.min.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
  'dagre.js': '@dagrejs/dagre/dist/dagre.esm.js',
};

/** Their licences: htm's file holds Preact too, so Preact's licence is beside it. */
export const LICENCES: Readonly<Record<string, string>> = {
  'LICENSE.htm.txt': 'htm/LICENSE',
  'LICENSE.preact.txt': 'preact/LICENSE',
  'LICENSE.uplot.txt': 'uplot/LICENSE',
  'LICENSE.dagre.txt': '@dagrejs/dagre/LICENSE',
};

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
};

const VENDOR = 'vendor/';
const kept = new Map<string, Promise<PageFile>>();

/**
 * A file of the page: `''` is the page itself, other names are those below `assets/`.
 *
 * Bounds: each file is read once and kept, under 300 KB in all. A name that is not in the lists above gives `undefined`, and nothing is opened.
 */
export function pageFile(name: string): Promise<PageFile | undefined> {
  if (!isListed(name)) return Promise.resolve(undefined);
  const before = kept.get(name);
  if (before !== undefined) return before;
  const read = readPageFile(name);
  kept.set(name, read);
  // A file that could not be read is tried again at the next request.
  read.catch(() => kept.delete(name));
  return read;
}

function isListed(name: string): boolean {
  if (name === '' || OWN_FILES.includes(name)) return true;
  if (!name.startsWith(VENDOR)) return false;
  const library = name.slice(VENDOR.length);
  return Object.hasOwn(LIBRARIES, library) || Object.hasOwn(LICENCES, library);
}

async function readPageFile(name: string): Promise<PageFile> {
  const type = TYPES[name === '' ? 'html' : name.slice(name.lastIndexOf('.') + 1)] as string;
  if (!name.startsWith(VENDOR)) {
    return { type, body: await readFile(new URL(name === '' ? 'index.html' : `assets/${name}`, import.meta.url)) };
  }
  const library = name.slice(VENDOR.length);
  const body = await readFile(new URL(`assets/${name}`, import.meta.url)).catch(() => fromPackages(library));
  // uPlot is a script that sets a global; as a module it exports it.
  return {
    type,
    body: library === 'uplot.js' ? Buffer.concat([body, Buffer.from('\nexport default uPlot;\n')]) : body,
  };
}

/** In the repository nothing is copied: the packages are beside the sources. */
function fromPackages(library: string): Promise<Buffer> {
  const path = (LIBRARIES[library] ?? LICENCES[library]) as string;
  return readFile(new URL(`../../../node_modules/${path}`, import.meta.url));
}
