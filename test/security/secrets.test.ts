import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { describeError, SinkError } from '../../src/core/errors.js';
import { rememberSecret, withoutKnownSecrets } from '../../src/core/known-secrets.js';
import { type LogEvent, Monitor } from '../../src/core/monitor.js';
import { expectSecret, secretNow } from '../../src/core/secret.js';
import { readHeaders } from '../../src/core/secret-headers.js';
import { secret } from '../../src/security/index.js';
import { TlsContext } from '../../src/security/tls-context.js';
import { checkClient, type TlsConfig } from '../../src/security/tls-options.js';
import { certificate } from '../drivers/avro-rpc/certificate.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rxflume-secrets-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As a program replaces a file that others read. */
function put(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  return path;
}

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was thrown';
}

describe('a secret', () => {
  it('prints as [secret], however it is printed', () => {
    const own = secret.from(() => 'open sesame now');
    void own.value();
    const shown = [String(own), `${own}`, JSON.stringify({ own }), inspect({ own }, { showHidden: true, depth: 9 })];
    expect(shown).toEqual(['[secret]', '[secret]', '{"own":"[secret]"}', '{ own: [secret] }']);
    expect(inspect(new Error('x', { cause: { own } }))).not.toContain('sesame');
    expect(Object.keys(own)).toEqual([]);
  });

  it('of a variable is what the variable is when it is read, and must be set', () => {
    process.env.RXFLUME_TEST_SECRET = 'first value';
    const own = secret.env('RXFLUME_TEST_SECRET');
    process.env.RXFLUME_TEST_SECRET = 'second value';
    expect(own.value()).toBe('second value');
    delete process.env.RXFLUME_TEST_SECRET;
    expect(messageOf(() => own.value())).toBe(
      'Cannot read the secret of the environment variable RXFLUME_TEST_SECRET: it is empty. Correct what gives it.',
    );
    expect(messageOf(() => secret.env('RXFLUME_TEST_SECRET'))).toContain('a variable of the environment that is set');
  });

  it('of a file is read again when the file has changed, without its last line end', () => {
    const path = put('password', 'first\n');
    const own = secret.file(path);
    expect(own.value()).toBe('first');
    put('password', 'second line\r\n');
    expect(own.value()).toBe('second line');
    put('password', ' a b \n\n');
    expect(own.value()).toBe(' a b \n');
    expect(messageOf(() => secret.file(join(folder, 'none')))).toContain('ENOENT');
    expect(messageOf(() => secret.file(put('empty', '\n')))).toContain('a file with a secret in it');
  });

  it('of a file stays what it was while the file is missing or empty', () => {
    const path = put('gone', 'kept');
    const own = secret.file(path);
    rmSync(path);
    expect(own.value()).toBe('kept');
    put('gone', '');
    expect(own.value()).toBe('kept');
    put('gone', 'new');
    expect(own.value()).toBe('new');
  });

  it('of a function may be asynchronous, and fails with an error that says where it comes from', async () => {
    await expect(Promise.resolve(secret.from(async () => 'later').value())).resolves.toBe('later');
    const failing = secret.from(async () => {
      throw new Error('the vault is sealed');
    });
    await expect(failing.value()).rejects.toMatchObject({
      code: 'RXF_SECRET_UNREADABLE',
      retryable: true,
      message: 'Cannot read the secret of `secret.from`: the vault is sealed. Correct what gives it.',
    });
    expect(messageOf(() => expectSecret('sasl.password', () => 7 as never).value())).toContain('`sasl.password`');
    expect(messageOf(() => secretNow('auth.hmac', failing))).toContain('`auth.hmac` to be given at once');
  });

  it('makes headers that log in', async () => {
    expect(secret.bearer('t0ken').value()).toBe('Bearer t0ken');
    expect(secret.basic('ann', 'sesame').value()).toBe('Basic YW5uOnNlc2FtZQ==');
    expect(readHeaders({ a: 'b', authorization: secret.bearer('t0ken') })).toEqual({
      a: 'b',
      authorization: 'Bearer t0ken',
    });
    const later = await readHeaders({ authorization: secret.bearer(async () => 'l8r') });
    expect(later).toEqual({ authorization: 'Bearer l8r' });
  });
});

describe('a secret that was read', () => {
  it('is in no message of an error or log event, nor in their facts', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8, unit: 'binary' }), fc.string(), (text, before) => {
        rememberSecret(text);
        const message = `${before} ${text}`;
        const monitor = new Monitor();
        const events: LogEvent[] = [];
        monitor.logEvents$.subscribe((event) => events.push(event));
        monitor.logEvent('warn', 'x', message, {
          at: [{ text }],
          url: `http://x/?a=${encodeURIComponent(Buffer.from(text).toString())}`,
        });
        const error = new SinkError('RXF_SINK_WRITE', message, { details: { deep: { text }, list: [text] } });
        const all = [events, error.details, error.message, describeError(new Error(message))];
        return !deepTexts(all).some((shown) => shown.includes(text));
      }),
    );
  });

  it('is found in its forms in a URL, in JSON and in base64', () => {
    const text = 'a/b "c" d+e f';
    rememberSecret(text);
    for (const form of [text, encodeURIComponent(text), JSON.stringify(text), Buffer.from(text).toString('base64')]) {
      expect(withoutKnownSecrets(`<${form}>`)).toMatch(/^<"?\*\*\*=*"?>$/);
    }
  });

  it('takes no work to use, also where more than are looked for are used in turn', () => {
    const tokens = Array.from({ length: 150 }, (_, n) => `a/token of "client" ${n};`);
    const escaping = jest.spyOn(JSON, 'stringify');
    for (const token of [...tokens, ...tokens]) rememberSecret(token);
    expect(escaping).not.toHaveBeenCalled();
    escaping.mockRestore();
    const [first, last] = [tokens[0] as string, tokens[149] as string];
    expect(withoutKnownSecrets(`${first} and ${encodeURIComponent(last)}`)).toBe(`${first} and ***`);
  });

  it('of fewer than 8 characters is not looked for, so that messages stay readable', () => {
    rememberSecret('flume');
    expect(withoutKnownSecrets('rxflume')).toBe('rxflume');
  });
});

function deepTexts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(deepTexts) : [];
}

describe('the option tls', () => {
  const check = (tls: TlsConfig) => {
    const checked = checkClient('tls', tls);
    return new TlsContext('tls', checked, checked.ca);
  };

  it('takes PEM, files and functions', () => {
    const { cert, key } = certificate;
    const file = put('cert.pem', String(cert));
    for (const tls of [
      { ca: cert, cert, key },
      { ca: [{ file }], cert: { file }, key: () => key },
    ] as TlsConfig[]) {
      expect(check(tls).current).toBeDefined();
    }
  });

  it('is made again for the next connection when a file has changed, and stays while it cannot be used', () => {
    const key = { file: put('key.pem', String(certificate.key)) };
    const tls = check({ cert: { file: put('own.pem', String(certificate.cert)) }, key });
    const first = tls.current;
    expect(tls.current).toBe(first);
    put('own.pem', 'half of a certif');
    expect(tls.current).toBe(first);
    put('own.pem', `\n${String(certificate.cert)}`);
    const second = tls.current;
    expect(second).not.toBe(first);
    expect(tls.current).toBe(second);
  });

  it.each<[string, unknown, string]>([
    ['what it does not know', { rejectUnauthorized: false }, 'insecureSkipVerify'],
    ['half of an identity', { cert: certificate.cert }, 'an object with `cert` and `key`'],
    ['an old version', { minVersion: 'TLSv1' }, '`tls.minVersion`'],
    ['no PEM', { ca: 'no certificate', cert: 'x', key: 'private text' }, 'Expected `tls` to be usable'],
    ['a file that is not there', { ca: { file: '/no/such.pem' } }, 'the file of `tls.ca`: ENOENT'],
    ['a number', { ca: 7 }, 'Expected `tls.ca`'],
    ['an empty name', { servername: '' }, '`tls.servername`'],
  ])('rejects %s at the call', (_, tls, says) => {
    const message = messageOf(() => check(tls as TlsConfig));
    expect(message).toContain(says);
    expect(message).not.toContain('private text');
  });
});
