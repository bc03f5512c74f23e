import { firstValueFrom, from, type ObservableInput } from 'rxjs';
import type { ErrorCode } from '../../core/error-codes.js';
import { RxflumeError } from '../../core/errors.js';
import { KiB } from '../../core/units.js';
import type { FileSystem, FileWriter } from '../../ports/file-system.js';

export interface FileSystemSubject {
  readonly fs: FileSystem;
  /** An absolute path of a folder to work in; it need not exist. Each check takes a folder of its own below it. */
  readonly root: string;
}

export interface FileSystemCheck {
  readonly name: string;
  /** Rejects with what is wrong. */
  run(subject: FileSystemSubject): Promise<void>;
}

interface Ground {
  readonly fs: FileSystem;
  /** A path in the check's own folder. */
  at(path: string): string;
}

let grounds = 0;

export function check(name: string, run: (ground: Ground) => Promise<void>): FileSystemCheck {
  return {
    name,
    async run({ fs, root }) {
      const folder = `${root.replace(/\/+$/, '')}/check-${++grounds}-${Date.now().toString(36)}`;
      await run({ fs, at: (path) => `${folder}/${path}` });
      await once(fs.remove(folder));
    },
  };
}

export async function once<T>(answer: ObservableInput<T>): Promise<T> {
  return firstValueFrom(from(answer));
}

export async function put(fs: FileSystem, path: string, text: string): Promise<void> {
  const writer: FileWriter = fs.create(path);
  await once(writer.write(bytesOf(text)));
  await once(writer.close());
}

export async function textOf(fs: FileSystem, path: string, maxBytes = 64 * KiB): Promise<string> {
  return new TextDecoder().decode(await once(fs.read(path, maxBytes)));
}

export async function kindOf(fs: FileSystem, path: string): Promise<string | undefined> {
  return (await once(fs.status(path)))?.kind;
}

export async function namesOf(fs: FileSystem, folder: string): Promise<string[]> {
  return (await once(fs.list(folder))).map(({ path }) => path.slice(folder.length + 1));
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The work must fail with the code; null takes any error. */
export async function fails(code: ErrorCode | null, work: () => Promise<unknown>): Promise<void> {
  let got: unknown;
  try {
    got = await work();
  } catch (error) {
    if (code === null || (error instanceof RxflumeError && error.code === code)) return;
    throw new Error(`Expected ${code}`, { cause: error });
  }
  expect(`a failure${code === null ? '' : ` with ${code}`}`, false, got);
}

export function expect(what: string, holds: boolean, got: unknown): void {
  if (!holds) throw new Error(`Expected ${what}, got ${JSON.stringify(got)}`);
}
