import { open } from 'node:fs/promises';
import { describeError, RxflumeError } from '../core/errors.js';
import { expectOneOf, expectText, expectWhole, withDefaults } from '../core/options.js';
import { MiB } from '../core/units.js';
import type { TextKind } from './labelled-text.js';
import { modelError } from './model-file.js';
import { TextModel, textModel } from './text-model.js';

export interface ReadTextModelOptions<K extends TextKind = TextKind> {
  /** Which results it must give. Default: whichever it gives. */
  readonly kind?: K;
  /** A larger file is not read. Default 256 MiB. */
  readonly maxFileBytes?: number;
}

/** The defaults of `readTextModel`. */
export const READ_TEXT_MODEL_DEFAULTS = { maxFileBytes: 256 * MiB } as const;

/**
 * Reads a model from its file. The size is checked before memory is taken, then the hash.
 *
 * ```ts
 * import { ModelSlot, readTextModel } from 'rxflume/text';
 *
 * export const slot = new ModelSlot(await readTextModel('sentiment.rxtm', { kind: 'sentiment' }));
 * // In the running flow, when there is a new one; if that is damaged, this throws, and the old one stays.
 * export const reload = async () => slot.swap(await readTextModel('sentiment.rxtm', { kind: 'sentiment' }));
 * ```
 *
 * Bounds: twice the size of the file while it is read, at most twice `maxFileBytes`.
 * Fails: `OptionError` at the call; `RXF_TEXT_MODEL` where the file cannot be read, is too large, damaged, or of the other kind.
 */
export async function readTextModel<K extends TextKind = TextKind>(
  path: string,
  options: ReadTextModelOptions<K> = {},
): Promise<TextModel<K>> {
  const { kind, maxFileBytes } = checkOptions(options);
  expectText('path', path);
  try {
    const bytes = await bytesOf(path, maxFileBytes);
    return kind === undefined ? new TextModel<K>(bytes, path) : textModel(bytes, kind, path);
  } catch (cause) {
    if (cause instanceof RxflumeError) throw cause;
    throw modelError(path, `cannot be read: ${describeError(cause)}`, cause);
  }
}

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions<K extends TextKind>(given: ReadTextModelOptions<K>) {
  const options = withDefaults('readTextModel options', READ_TEXT_MODEL_DEFAULTS, given, ['kind']);
  if (options.kind !== undefined) expectOneOf('kind', options.kind, ['sentiment', 'topics']);
  expectWhole('maxFileBytes', options.maxFileBytes, 1, 2 ** 31 - 1);
  return options;
}

/** The bytes of a file as long as it was when it was opened: one that grows meanwhile takes no more memory. */
async function bytesOf(path: string, maxFileBytes: number): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const status = await file.stat();
    if (!status.isFile()) throw modelError(path, 'is no file');
    if (status.size > maxFileBytes) {
      throw modelError(path, `has ${status.size} bytes, more than the ${maxFileBytes} of \`maxFileBytes\``);
    }
    const bytes = Buffer.alloc(status.size);
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await file.read(bytes, at, bytes.length - at, at);
      if (bytesRead === 0) throw modelError(path, `ended at byte ${at} of ${bytes.length} while it was read`);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}
