import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname } from 'node:path';
import { OptionError } from '../../core/errors.js';
import { expectKnown, expectMs, expectOption, expectText } from '../../core/options.js';
import { shownPath } from '../../core/text.js';

/** Who logs in by Kerberos. Needs the package `kerberos`, and the realm in `krb5.conf` (`KRB5_CONFIG`). */
export interface KerberosLogin {
  /** Such as `flume@EXAMPLE.COM` or `flume/host1@EXAMPLE.COM`. */
  readonly principal: string;
  /** The file with its key, read at each login; no `kinit` is needed. Default: what `KRB5CCNAME` and `KRB5_CLIENT_KTNAME` say. */
  readonly keytab?: string;
  /** The longest a login may take, KDCs that do not answer included, in milliseconds. Default 20,000. */
  readonly timeoutMs?: number;
}

const KERBEROS_DEFAULTS = { timeoutMs: 20_000 } as const satisfies Partial<KerberosLogin>;
const WANTED = '^7.0.0';

export interface CheckedLogin {
  readonly principal: string;
  readonly keytab: string | undefined;
  readonly timeoutMs: number;
  /** Where the package `kerberos` is. */
  readonly library: string;
}

/** Throws `OptionError`: `RXF_OPTION_INVALID`, and `RXF_DRIVER_MISSING` without the package `kerberos`. */
export function checkKerberos(name: string, given: KerberosLogin): CheckedLogin {
  expectKnown(name, given, ['principal', 'keytab', 'timeoutMs']);
  const { principal, keytab, timeoutMs = KERBEROS_DEFAULTS.timeoutMs } = given;
  expectText(`${name}.principal`, principal);
  expectMs(`${name}.timeoutMs`, timeoutMs, 1);
  if (keytab !== undefined) {
    expectText(`${name}.keytab`, keytab);
    expectOption(`${name}.keytab`, shownPath(keytab), existsSync(keytab), 'a file that exists');
  }
  return { principal, keytab, timeoutMs, library: findLibrary(name) };
}

function findLibrary(option: string): string {
  const folders = (process.env.NODE_PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const require = createRequire(import.meta.url);
  try {
    return require.resolve('kerberos');
  } catch (cause) {
    try {
      return require.resolve('kerberos', { paths: [process.cwd(), ...folders.map(dirname)] });
    } catch {
      throw new OptionError(
        'RXF_DRIVER_MISSING',
        `The option \`${option}\` needs the package kerberos ${WANTED}, which is not installed. Run \`npm install kerberos@${WANTED}\`.`,
        { details: { package: 'kerberos', wanted: WANTED }, cause },
      );
    }
  }
}
