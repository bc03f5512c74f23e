import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { compileFunction } from 'node:vm';
import { monotonicMs } from '../../../core/clock.js';
import { OptionError } from '../../../core/errors.js';

/** The version whose source this driver was written against: it uses kafkajs's own rooms, which no version promises. */
export const KAFKAJS_VERSION = '2.2.4';

/** Where kafkajs reads the time to wait by it. Elsewhere it stamps records. */
const WAITS = /^src\/(network|cluster|consumer)\//;

/** kafkajs's time limits would last an hour longer where the time of day is set back by an hour, and end at once where it is set forward. */
class SteadyDate extends Date {
  static override now(): number {
    return steadyMs();
  }
}

/** kafkajs's own time, in whole milliseconds: never set back or forward. */
export function steadyMs(): number {
  return Math.round(monotonicMs());
}

/** Changes what a file of kafkajs exports, before anything else of kafkajs sees it. Paths are as under `kafkajs/src/`. */
export type Amendments = Readonly<Record<string, (exported: never) => unknown>>;

export interface PrivateInstance {
  /** What a file of kafkajs exports, by its path under `kafkajs/`, such as `src/cluster/index.js`. */
  load(path: string): unknown;
}

/**
 * Loads kafkajs's CommonJS graph with a module map of its own, so that what is amended here is not amended for the
 * application, whose own `import 'kafkajs'` stays as it is. Works under Jest, where writing to `require.cache` is
 * silently ignored.
 *
 * Fails: `RXF_DRIVER_MISSING` where kafkajs is not installed, or is of another version.
 */
export function openPrivateInstance(
  amendments: Amendments,
  from: readonly string[] = startingPoints(),
): PrivateInstance {
  const root = findKafkajs(from);
  const modules = new Map<string, { exports: unknown }>();

  const loadFile = (file: string): unknown => {
    const known = modules.get(file);
    if (known !== undefined) return known.exports;
    const module = { exports: {} as unknown };
    modules.set(file, module);
    const source = readFileSync(file, 'utf8');
    if (file.endsWith('.json')) {
      module.exports = JSON.parse(source);
      return module.exports;
    }
    const outside = createRequire(file);
    const require = (id: string): unknown => {
      const target = id.startsWith('.') ? outside.resolve(id) : id;
      return target.startsWith(root + sep) ? loadFile(target) : outside(id);
    };
    const path = file.slice(root.length + 1).replaceAll(sep, '/');
    const parameters = ['exports', 'require', 'module', '__filename', '__dirname', 'Date'];
    const run = compileFunction(source, parameters, { filename: file });
    const clock = WAITS.test(path) ? SteadyDate : Date;
    run.call(module.exports, module.exports, require, module, file, dirname(file), clock);
    const amend = amendments[path];
    if (amend !== undefined) module.exports = amend(module.exports as never);
    return module.exports;
  };

  return { load: (path) => loadFile(join(root, path)) };
}

function startingPoints(): string[] {
  return [import.meta.url, join(globalThis.process.cwd(), 'package.json')];
}

function findKafkajs(from: readonly string[]): string {
  let cause: unknown;
  for (const start of from) {
    let file: string;
    try {
      file = createRequire(start).resolve('kafkajs/package.json');
    } catch (error) {
      cause ??= error;
      continue;
    }
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
    if (version !== KAFKAJS_VERSION) {
      throw new OptionError(
        'RXF_DRIVER_MISSING',
        `The kafkajs driver requires exactly kafkajs ${KAFKAJS_VERSION}, found ${version} in ${dirname(file)}. ` +
          `Run \`npm install kafkajs@${KAFKAJS_VERSION}\`.`,
        { details: { package: 'kafkajs', wanted: KAFKAJS_VERSION, found: version } },
      );
    }
    return dirname(file);
  }
  throw new OptionError(
    'RXF_DRIVER_MISSING',
    `The kafkajs driver needs the package kafkajs, which is not installed. Run \`npm install kafkajs@${KAFKAJS_VERSION}\`.`,
    { details: { package: 'kafkajs', wanted: KAFKAJS_VERSION }, cause },
  );
}
