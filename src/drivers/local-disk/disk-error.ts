import type { CodeOf } from '../../core/error-codes.js';
import { describeError, SinkError } from '../../core/errors.js';
import type { Steps } from './steps.js';

const CODES: Readonly<Record<string, CodeOf<'SinkError'>>> = {
  ENOSPC: 'RXF_FILES_FULL',
  EDQUOT: 'RXF_FILES_FULL',
  EFBIG: 'RXF_FILES_FULL',
  EACCES: 'RXF_FILES_DENIED',
  EPERM: 'RXF_FILES_DENIED',
  EROFS: 'RXF_FILES_DENIED',
  ELOOP: 'RXF_FILES_DENIED',
  ENOENT: 'RXF_FILES_MISSING',
  EISDIR: 'RXF_FILES_MISSING',
  ENAMETOOLONG: 'RXF_FILES_NAME',
  EILSEQ: 'RXF_FILES_NAME',
  EEXIST: 'RXF_FILES_EXISTS',
  ENOTDIR: 'RXF_FILES_EXISTS',
};

/** With `EINVAL` these reject the name; others, such as fsync on some network disks, reject something else. */
const BY_NAME = ['open', 'mkdir', 'link', 'rename'];

const NEXT: Partial<Record<CodeOf<'SinkError'>, string>> = {
  RXF_FILES_FULL: 'Free space or raise the quota',
  RXF_FILES_DENIED: 'Grant this user write access, or choose another `root`',
  RXF_FILES_EXISTS: 'Nothing was changed; choose another name, or remove what is there',
  RXF_FILES_NAME: 'Choose another name',
  RXF_FILES_MISSING: 'Check that nothing else removes files there',
};

/** What only waiting, or the system's limits, can help; the rest is for the system log. */
const NEXT_OF_SYSTEM: Readonly<Record<string, string>> = {
  EMFILE: 'Raise the limit on open files (`ulimit -n`), or lower `maxOpenFiles`',
  ENFILE: 'Raise the limit on open files of the system (`fs.file-max`), or lower `maxOpenFiles`',
};

/** The system's code of an error, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Our code of an error of the disk. */
export function codeOfSystem(error: unknown): CodeOf<'SinkError'> {
  const code = systemCode(error) ?? '';
  const { syscall } = (error ?? {}) as { readonly syscall?: unknown };
  if (code === 'EINVAL' && BY_NAME.includes(String(syscall))) return 'RXF_FILES_NAME';
  return CODES[code] ?? 'RXF_FILES_REMOTE';
}

/** An error of the disk as ours. */
export function diskError(error: unknown, doing: string, path: string): SinkError {
  if (error instanceof SinkError) return error;
  const code = codeOfSystem(error);
  const next = NEXT_OF_SYSTEM[systemCode(error) ?? ''] ?? NEXT[code] ?? 'Look into the system log';
  return new SinkError(code, `Could not ${doing}: ${describeError(error)}. ${next}.`, {
    details: { path },
    cause: error,
  });
}

/** The steps, with errors of the disk as ours. */
export function* translated<T>(doing: string, path: string, steps: Steps<T>): Steps<T> {
  try {
    return yield* steps;
  } catch (error) {
    throw diskError(error, doing, path);
  }
}

/** The steps, with `absent` as their answer where nothing is at the path. */
export function* absentAs<T, A>(absent: A, steps: Steps<T>): Steps<T | A> {
  try {
    return yield* steps;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return absent;
    throw error;
  }
}
