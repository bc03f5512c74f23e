import type { SecureVersion } from 'node:tls';
import { expectKnown, expectOneOf, expectOption, expectText } from '../core/options.js';
import { expectSecret, isSecret, type Secret, type SecretText, secretNow } from '../core/secret.js';
import { openFile } from './secret-sources.js';

/** A certificate or key: PEM, a file that is read again when it has changed, or a function that gives it for each connection. */
export type TlsPart = string | Uint8Array | { readonly file: string } | Secret | (() => string | Uint8Array);

/** The certificate and key of one side. A certificate's chain follows it in the same PEM. */
export interface TlsIdentity {
  readonly cert?: TlsPart;
  readonly key?: TlsPart;
  /** Instead of `cert` and `key`: both as PKCS #12, such as Java's key stores. */
  readonly pfx?: TlsPart;
  /** Of the key, where it is encrypted; not from an async function. */
  readonly passphrase?: SecretText;
  /** The oldest version of TLS. Default `TLSv1.2`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** TLS to a server. Files are read again when they have changed, and used for new connections. */
export interface TlsConfig extends TlsIdentity {
  /** The authorities that may have signed the server's certificate, several in one PEM or in a list. Default: Node's. */
  readonly ca?: TlsPart | readonly TlsPart[];
  /** The name that the server's certificate must have. Default: the host. */
  readonly servername?: string;
  /**
   * Accepts any certificate, so that anyone on the way can read and change everything. Only for tests: each start prints a warning.
   * Default false.
   */
  readonly insecureSkipVerify?: boolean;
}

/** The certificate of a server. */
export type ServerTlsConfig = TlsIdentity;

/** The defaults of `tls`. */
const TLS_DEFAULTS = { minVersion: 'TLSv1.2', insecureSkipVerify: false } as const satisfies TlsConfig;

/** Reads a part: the same object as long as it has not changed. */
export type ReadPart = () => string | Buffer;

export interface CheckedIdentity {
  readonly cert: ReadPart | undefined;
  readonly key: ReadPart | undefined;
  readonly pfx: ReadPart | undefined;
  readonly passphrase: ReadPart | undefined;
  readonly minVersion: SecureVersion;
}

const IDENTITY = ['cert', 'key', 'pfx', 'passphrase', 'minVersion'];
const CLIENT = ['ca', ...IDENTITY, 'servername', 'insecureSkipVerify'];

/** A text may be a key in the wrong place: it is not shown. */
function expectObject(name: string, tls: unknown, what: string): void {
  expectOption(name, typeof tls === 'string' ? 'a text' : tls, typeof tls === 'object' && tls !== null, what);
}

/** Throws `OptionError`, which shows no key. */
export function checkIdentity(name: string, tls: TlsIdentity): CheckedIdentity {
  expectObject(name, tls, 'an object of options');
  const { cert, key, pfx, passphrase, minVersion = TLS_DEFAULTS.minVersion } = tls;
  expectOneOf(`${name}.minVersion`, minVersion, ['TLSv1.2', 'TLSv1.3']);
  const isPair = (cert === undefined) === (key === undefined) && (pfx === undefined || key === undefined);
  expectOption(name, typeof tls, isPair, 'an object with `cert` and `key`, or with `pfx`');
  return {
    cert: cert === undefined ? undefined : partOf(`${name}.cert`, cert),
    key: key === undefined ? undefined : partOf(`${name}.key`, key),
    pfx: pfx === undefined ? undefined : partOf(`${name}.pfx`, pfx),
    passphrase: passphrase === undefined ? undefined : secretPart(`${name}.passphrase`, passphrase),
    minVersion,
  };
}

export function expectServerTls(name: string, tls: unknown): asserts tls is TlsIdentity {
  expectObject(name, tls, 'an object of options with `key` and `cert`, or `pfx`');
  expectKnown(name, tls, IDENTITY);
  const { key, pfx } = tls as TlsIdentity;
  const hasKey = key !== undefined || pfx !== undefined;
  expectOption(name, typeof tls, hasKey, 'an object with `key` and `cert`, or `pfx`');
}

/** Throws `OptionError`, which shows no key. */
export function checkClient(name: string, tls: TlsConfig) {
  expectObject(name, tls, 'an object of options');
  expectKnown(name, tls, CLIENT);
  const { ca, servername, insecureSkipVerify = TLS_DEFAULTS.insecureSkipVerify } = tls;
  if (servername !== undefined) expectText(`${name}.servername`, servername);
  const isFlag = typeof insecureSkipVerify === 'boolean';
  expectOption(`${name}.insecureSkipVerify`, insecureSkipVerify, isFlag, 'true or false');
  const authorities = ca === undefined ? [] : Array.isArray(ca) ? (ca as readonly TlsPart[]) : [ca as TlsPart];
  return {
    ...checkIdentity(name, tls),
    ca: authorities.map((one) => partOf(`${name}.ca`, one)),
    servername,
    isInsecure: insecureSkipVerify,
  };
}

export type CheckedClient = ReturnType<typeof checkClient>;

function partOf(name: string, part: TlsPart): ReadPart {
  if (isSecret(part)) return secretPart(name, part);
  if (typeof part === 'function') return part as ReadPart;
  if (part instanceof Uint8Array) {
    const bytes = Buffer.from(part);
    return () => bytes;
  }
  if (typeof part === 'object' && part !== null) {
    expectKnown(name, part, ['file']);
    expectText(`${name}.file`, part.file);
    const file = openFile(name, part.file);
    return () => file.read();
  }
  const isText = typeof part === 'string' && part !== '';
  expectOption(name, typeof part, isText, 'PEM, `{ file }`, a secret or a function that gives PEM');
  return () => part;
}

function secretPart(name: string, given: SecretText): ReadPart {
  const secret = expectSecret(name, given);
  return () => secretNow(name, secret);
}
