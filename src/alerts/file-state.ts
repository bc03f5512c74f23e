import { open, readFile, rename, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ObservableInput } from 'rxjs';
import { expectText } from '../core/options.js';
import { MiB } from '../core/units.js';

/** Where the state of `notify` survives a restart: one text. */
export interface AlertStateStore {
  /** For messages. No secret. */
  readonly name: string;
  /** What was saved last; null where nothing was. Emits once. */
  load(): ObservableInput<string | null>;
  /** Replaces it, as a whole or not at all. Completes when it is durable. */
  save(text: string): ObservableInput<unknown>;
}

const MAX_BYTES = 64 * MiB;

/**
 * The state of `notify` in a file, which only its owner can read. It is written beside itself and renamed, so it is never half written.
 * One process at a time may use it.
 *
 * ```ts
 * import { fileState } from 'rxflume/alerts';
 *
 * export const state = fileState('/var/lib/rxflume/alerts.json');
 * ```
 *
 * Bounds: a file of more than 64 MiB is not read.
 * Fails: `OptionError` at the call; as the disk does.
 */
export function fileState(path: string): AlertStateStore {
  expectText('path', path);
  const file = resolve(path);
  return {
    name: file,
    load: async () => {
      try {
        const { size } = await stat(file);
        if (size > MAX_BYTES) throw new Error(`it has ${size} bytes, more than ${MAX_BYTES}`);
        return await readFile(file, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },
    save: async (text) => {
      const beside = `${file}.new`;
      const handle = await open(beside, 'w', 0o600);
      try {
        await handle.chmod(0o600);
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(beside, file);
    },
  };
}
