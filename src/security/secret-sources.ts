import { describeError, OptionError } from '../core/errors.js';
import { expectFunction, expectOption, expectText } from '../core/options.js';
import { expectSecret, Secret, type SecretText } from '../core/secret.js';
import { shownPath } from '../core/text.js';
import { ChangingFile } from './changing-file.js';

/**
 * Where passwords, tokens and keys come from. Every option that takes one takes a `Secret`; it is read where it is used, and shown nowhere.
 *
 * `env` reads a variable of the environment, `file` a file without its last line end, again whenever the file has changed; `from` calls a
 * function, which may return a promise except where the option says otherwise. `bearer` and `basic` make values of the header `authorization`.
 *
 * ```ts
 * import { kafkajs } from 'rxflume/drivers/kafkajs';
 * import { secret } from 'rxflume/security';
 *
 * export const kafka = () =>
 *   kafkajs({
 *     brokers: ['k1:9093'],
 *     tls: { ca: { file: '/etc/ssl/company.pem' } },
 *     sasl: { mechanism: 'scram-sha-512', username: 'lake', password: secret.file('/run/secrets/kafka') },
 *   });
 * ```
 *
 * Fails: `OptionError` at the call where the variable or the file is missing or empty; `RXF_SECRET_UNREADABLE` where a function fails later.
 */
export const secret: {
  env(name: string): Secret;
  file(path: string): Secret;
  from(read: () => string | PromiseLike<string>): Secret;
  bearer(token: SecretText): Secret;
  basic(user: string, password: SecretText): Secret;
} = {
  env: (name) => {
    expectText('name', name);
    const read = () => process.env[name] ?? '';
    expectOption('name', name, read() !== '', 'a variable of the environment that is set');
    return new Secret(`the environment variable ${name}`, read);
  },
  file: (path) => {
    expectText('path', path);
    const file = openFile('path', path);
    const read = () =>
      file
        .read()
        .toString('utf8')
        .replace(/\r?\n$/, '');
    expectOption('path', path, read() !== '', 'a file with a secret in it');
    return new Secret(`the file ${shownPath(path)}`, read);
  },
  from: (read) => {
    expectFunction('read', read);
    return new Secret('`secret.from`', read);
  },
  bearer: (token) => mapped('secret.bearer', expectSecret('token', token), (text) => `Bearer ${text}`),
  basic: (user, password) => {
    const isUser = typeof user === 'string' && user !== '' && !user.includes(':');
    expectOption('user', typeof user, isUser, 'a non-empty string without a colon');
    const encoded = (text: string) => `Basic ${Buffer.from(`${user}:${text}`).toString('base64')}`;
    return mapped('secret.basic', expectSecret('password', password), encoded);
  },
};

function mapped(name: string, secret: Secret, change: (text: string) => string): Secret {
  return new Secret(`\`${name}\``, () => {
    const given = secret.value();
    return typeof given === 'string' ? change(given) : given.then(change);
  });
}

/** A file that an option names. Throws `OptionError` where it cannot be read. */
export function openFile(option: string, path: string): ChangingFile {
  try {
    return new ChangingFile(path);
  } catch (cause) {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `Cannot read ${shownPath(path)}, the file of \`${option}\`: ${describeError(cause)}. Correct the path, or its rights.`,
      { details: { option, path }, cause },
    );
  }
}
