import { urlAddressProblem } from '../../core/address.js';
import { OptionError } from '../../core/errors.js';
import { isWellFormed } from '../../core/text.js';

/** What is wrong with a URL to send to, without showing it; undefined where nothing is. */
export function urlProblem(given: unknown): string | undefined {
  if (typeof given !== 'string') return 'it must be a text';
  if (!isWellFormed(given)) return 'it must have no unpaired surrogate, which would be sent as U+FFFD';
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    return 'it must be a whole URL such as http://store:9200/chat';
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'it must begin with http:// or https://';
  if (url.username !== '' || url.password !== '') return 'it must have no user name or password; give a header instead';
  const problem = urlAddressProblem(given);
  return problem === null ? undefined : `it must be ${problem}`;
}

/** Those that belong to the connection, or that the sink sets itself. */
const OURS = [
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
].concat(['te', 'trailer', 'transfer-encoding', 'upgrade']);

/**
 * Checks headers without showing a value; `reserved` is one more that the sink sets itself. Throws `OptionError`.
 *
 * Source: RFC 9110, section 5: a name is a token, a value has no control characters. Beyond latin-1 there are no bytes for.
 */
export function expectHeaders(
  option: string,
  headers: unknown,
  reserved: string | null = null,
): asserts headers is Readonly<Record<string, string>> {
  const wrong = (rule: string, got: string) => {
    throw new OptionError('RXF_OPTION_INVALID', `Expected \`${option}\` to be ${rule}, got ${got}.`, {
      details: { option, rule },
    });
  };
  if (typeof headers !== 'object' || headers === null) wrong('an object of texts by name', typeof headers);
  for (const [name, value] of Object.entries(headers as object)) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) wrong('by names of HTTP headers', JSON.stringify(name));
    const isReserved = reserved !== null && name.toLowerCase() === reserved.toLowerCase();
    if (isReserved || OURS.includes(name.toLowerCase())) wrong('without what the sink sets itself', name);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (typeof value !== 'string' || /[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/.test(value)) {
      wrong('texts without control characters', `another value of ${name}`);
    }
  }
}

/** A text without the header values and query values that were sent: servers quote what they got. */
export function withoutSecrets(text: string, url: string, headers: Readonly<Record<string, string>>): string {
  const query = [...new URL(url).searchParams.values()];
  const credentials = Object.values(headers).flatMap((value) => [value, ...value.split(' ')]);
  const secrets = [...query, ...query.map(encodeURIComponent), ...credentials].filter(({ length }) => length >= 6);
  return secrets.sort((a, b) => b.length - a.length).reduce((clean, secret) => clean.replaceAll(secret, '***'), text);
}
