import type { CodeOf } from '../../core/error-codes.js';
import { SinkError } from '../../core/errors.js';
import { withoutSecrets } from '../../core/secrets.js';
import type { Answer, AnswerTooLarge } from './request.js';

/** What Hadoop says went wrong. Nearly all of it comes as HTTP 403 (or 500 from HttpFS), so only the name tells. */
export interface RemoteException {
  /** The Java class without its package, such as `AccessControlException`. */
  readonly name: string;
  /** The first line, without stack trace and packages. */
  readonly message: string;
}

/** What was tried, for messages. */
export interface Attempt {
  /** Such as `create /lake/x`. */
  readonly doing: string;
  readonly path: string;
  /** Who answered, such as `http://nn1:9870`. */
  readonly at: string;
  readonly user: string | undefined;
  /** Default: those of the driver `webhdfs`. */
  readonly advice?: Advice;
}

/** What to do next, in the options of the driver that failed. */
export interface Advice {
  readonly access: string;
  readonly standby: string;
  readonly safeMode: string;
  readonly server: string;
  /** Ends "Check that it runs and is reachable from here, ". */
  readonly reach: string;
  /** Where a DataNode that is right is not accepted. */
  readonly dataNode: string;
}

export const ADVICE: Advice = {
  access: 'set `user`, `kerberos`, `delegationToken` or `authorization`',
  standby: 'list the active one in `nameNodes`',
  safeMode: 'raise `safeModeTimeoutMs`',
  server: '`nameNodes` (host, port, base path) and `mode`',
  reach: 'or set `hostMap`',
  dataNode: 'list its host in `dataNodes`, or say in `hostMap` where it is reached',
};

const CODES: Readonly<Record<string, CodeOf<'SinkError'>>> = {
  AccessControlException: 'RXF_FILES_DENIED',
  AuthorizationException: 'RXF_FILES_DENIED',
  AuthenticationException: 'RXF_FILES_DENIED',
  SecurityException: 'RXF_FILES_DENIED',
  InvalidToken: 'RXF_FILES_DENIED',
  FileNotFoundException: 'RXF_FILES_MISSING',
  FileAlreadyExistsException: 'RXF_FILES_EXISTS',
  AlreadyBeingCreatedException: 'RXF_FILES_EXISTS',
  ParentNotDirectoryException: 'RXF_FILES_EXISTS',
  InvalidPathException: 'RXF_FILES_NAME',
  PathComponentTooLongException: 'RXF_FILES_NAME',
  DSQuotaExceededException: 'RXF_FILES_FULL',
  NSQuotaExceededException: 'RXF_FILES_FULL',
  QuotaByStorageTypeExceededException: 'RXF_FILES_FULL',
  QuotaExceededException: 'RXF_FILES_FULL',
  DiskOutOfSpaceException: 'RXF_FILES_FULL',
  MaxDirectoryItemsExceededException: 'RXF_FILES_FULL',
  StandbyException: 'RXF_FILES_STANDBY',
  RetriableException: 'RXF_FILES_SAFE_MODE',
  SafeModeException: 'RXF_FILES_SAFE_MODE',
};

const NEVER_BETTER = /^(IllegalArgument|HadoopIllegalArgument|UnsupportedOperation)/;
const NO_SPACE = /could only be (written|replicated) to 0 |no space left on device|out of space|disk ?quota/i;
const BAD_NAME = /Pathname too long\.|is a reserved name\.|Invalid (path|file) name/;
const UNDER_A_FILE = /\(is not a directory\)$/;

/** The RemoteException of an answer, or null where it holds none. */
export function remoteExceptionOf(answer: Answer): RemoteException | null {
  if (answer.status < 400) return null;
  const remote = parseJson(answer.body)?.RemoteException as Record<string, unknown> | null | undefined;
  if (typeof remote !== 'object' || remote === null) return null;
  const name = String(remote.exception ?? remote.javaClassName ?? 'Exception').replace(/^.*[.$]/, '');
  const message = shorten(String(remote.message ?? ''));
  // A path below a file comes as AccessControlException from GETFILESTATUS and LISTSTATUS; access is not what lacks.
  return { name: UNDER_A_FILE.test(message) ? 'ParentNotDirectoryException' : name, message };
}

/** The delegation token of a request has expired, or was cancelled, or is of another cluster. Source: Hadoop 3, `SecretManager`. */
export function isTokenRejected({ name, message }: RemoteException): boolean {
  return name === 'InvalidToken' || /\bInvalidToken\b/.test(message);
}

/** The code a RemoteException gets. */
export function codeOf(remote: RemoteException): CodeOf<'SinkError'> {
  if (NO_SPACE.test(remote.message)) return 'RXF_FILES_FULL';
  if (BAD_NAME.test(remote.message)) return 'RXF_FILES_NAME';
  return CODES[remote.name] ?? 'RXF_FILES_REMOTE';
}

/** A RemoteException as our error. */
export function rejected(remote: RemoteException, attempt: Attempt): SinkError {
  const code = codeOf(remote);
  const what = `Could not ${attempt.doing} on ${attempt.at}: ${remote.name}: ${remote.message}`;
  if (isTokenRejected(remote)) {
    const next = 'Renew or replace the delegation token; `kerberos` does both by itself';
    const details = { path: attempt.path, at: attempt.at, exception: remote.name, user: attempt.user ?? null };
    return new SinkError('RXF_FILES_DENIED', `${what.replace(/[.:\s]+$/, '')}. ${next}.`, { details, retryable: true });
  }
  return new SinkError(code, `${what.replace(/[.:\s]+$/, '')}. ${nextStep(code, attempt)}.`, {
    details: { path: attempt.path, at: attempt.at, exception: remote.name, user: attempt.user ?? null },
    ...(NEVER_BETTER.test(remote.name) && { retryable: false }),
  });
}

/** An answer that is neither a success nor a RemoteException, such as a proxy's. */
export function notUnderstood(answer: Answer, attempt: Attempt): SinkError {
  const type = answer.headers['content-type'] ?? 'no content type';
  const what = `Could not ${attempt.doing} on ${attempt.at}: it answered HTTP ${answer.status} (${type})`;
  const details = { path: attempt.path, at: attempt.at, status: answer.status };
  if (answer.status === 401 || answer.status === 407) {
    const { access } = attempt.advice ?? ADVICE;
    return new SinkError('RXF_FILES_DENIED', `${what}. Log in as the cluster wants: ${access}.`, { details });
  }
  if (answer.status >= 500) {
    return new SinkError('RXF_FILES_REMOTE', `${what}. Look into the server's log.`, { details });
  }
  return new SinkError(
    'RXF_FILES_PROTOCOL',
    `${what}, which is not WebHDFS. Check ${(attempt.advice ?? ADVICE).server}.`,
    { details },
  );
}

/** A server that does not accept a login by Kerberos. */
export function loginRejected(answer: Answer, attempt: Attempt): SinkError {
  const reason =
    /GSSException[^<"\r\n]*|[^<>"\r\n]*Mechanism level[^<"\r\n]*/.exec(answer.body.toString('utf8'))?.[0] ?? '';
  const said = reason === '' ? '' : `: ${withoutSecrets(reason).slice(0, 300).trim()}`;
  const next = /clock skew/i.test(reason)
    ? 'Correct the clock of this machine, or of the server'
    : 'Check that its keytab has the key of HTTP/<host> as the KDC has it, and that it knows the realm';
  const message = `Could not ${attempt.doing} on ${attempt.at}: it rejects the login by Kerberos (HTTP ${answer.status})${said}. ${next}.`;
  const details = { path: attempt.path, at: attempt.at, status: answer.status };
  return new SinkError('RXF_FILES_KERBEROS', message, { details });
}

/** An answer that is no success, as our error. */
export function errorOf(answer: Answer, attempt: Attempt): SinkError {
  const remote = remoteExceptionOf(answer);
  return remote ? rejected(remote, attempt) : notUnderstood(answer, attempt);
}

/** An answer over the limit. */
export function tooLarge(error: AnswerTooLarge, attempt: Attempt, limit: string): SinkError {
  const what = `Could not ${attempt.doing} on ${attempt.at}: the answer has ${error.message}, over ${limit}.`;
  return new SinkError('RXF_FILES_PROTOCOL', what, { details: { path: attempt.path, at: attempt.at }, cause: error });
}

/** A body as a JSON object, or null. */
export function parseJson(body: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function shorten(message: string): string {
  const line = withoutSecrets(message.split(/[\r\n]/, 1)[0] ?? '').trim();
  return line.replace(/\b(?:[a-z_][a-z0-9_]*\.){2,}(?=[A-Z]\w*(?:Exception|Error)\b)/g, '').slice(0, 400);
}

function nextStep(code: CodeOf<'SinkError'>, { path, user, advice = ADVICE }: Attempt): string {
  switch (code) {
    case 'RXF_FILES_DENIED':
      return `Grant ${user ?? 'this user'} access to ${path}, or ${advice.access}`;
    case 'RXF_FILES_FULL':
      return 'Free space, raise the quota, or bring DataNodes back';
    case 'RXF_FILES_EXISTS':
      return 'Nothing was changed; choose another name, or remove what is there';
    case 'RXF_FILES_NAME':
      return 'Choose another name';
    case 'RXF_FILES_MISSING':
      return 'Check that nothing else removes files there';
    case 'RXF_FILES_STANDBY':
      return `Make a NameNode active, or ${advice.standby}`;
    case 'RXF_FILES_SAFE_MODE':
      return `Wait until the NameNode has left safe mode, or ${advice.safeMode}`;
    default:
      return `Look into the server's log`;
  }
}
