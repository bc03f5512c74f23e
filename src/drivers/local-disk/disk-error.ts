import { type CodeOf, describeError, SinkError } from '../../core/errors.js';

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

/** With `EINVAL` these refuse the name; others, such as fsync on some network disks, refuse something else. */
const BY_NAME = ['open', 'mkdir', 'link', 'rename'];

const NEXT: Partial<Record<CodeOf<'SinkError'>, string>> = {
  RXF_FILES_FULL: 'Free space or raise the quota',
  RXF_FILES_DENIED: 'Grant this user write access, or choose another `root`',
  RXF_FILES_EXISTS: 'Nothing was changed; choose another name, or remove what stands there',
  RXF_FILES_NAME: 'Choose another name',
  RXF_FILES_MISSING: 'Check that nothing else removes files there',
};

/** The system's code of an error, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** An error of the disk as ours. */
export function diskError(error: unknown, doing: string, path: string): SinkError {
  if (error instanceof SinkError) return error;
  const code = codeOf(error);
  const next = NEXT[code] ?? 'Look into the system log';
  return new SinkError(code, `Could not ${doing}: ${describeError(error)}. ${next}`, {
    details: { path },
    cause: error,
  });
}

function codeOf(error: unknown): CodeOf<'SinkError'> {
  const code = systemCode(error) ?? '';
  const { syscall } = (error ?? {}) as { readonly syscall?: unknown };
  if (code === 'EINVAL' && BY_NAME.includes(String(syscall))) return 'RXF_FILES_NAME';
  return CODES[code] ?? 'RXF_FILES_REMOTE';
}

/** Waits for the work; its errors come as ours. */
export async function translated<T>(doing: string, path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw diskError(error, doing, path);
  }
}
