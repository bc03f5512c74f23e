import { withoutKnownSecrets } from './known-secrets.js';

/** Names whose values are secrets, as parameters of a URL, fields of JSON, or settings. */
const NAMES =
  'delegation|hadoop\\.auth|sig|pwd|pass|passwd|passphrase|credentials?|x-amz-credential|(?:[\\w.-]*[-_.])?(?:token|secret|signature|password|api[-_]?key)|\\w*(?:Token|Secret|Password|ApiKey)';
const HEADERS = '(?:proxy-)?authorization|x-api-key|(?:set-)?cookie';
const PARAMETER = new RegExp(`(?<![\\w.-])(${NAMES})=(?!\\*\\*\\*)[^&\\s"'\\\\<>;,)\\]}]+`, 'gi');
const FIELD = new RegExp(`(["'])(${NAMES}|${HEADERS})\\1(\\s*:\\s*)(["'])(?:\\\\.|(?!\\4).)*\\4`, 'gi');
const HEADER = new RegExp(`\\b(${HEADERS})(\\s*:\\s*)[^\\r\\n]+`, 'gi');
/** Not of prose: what follows has more than small letters. */
const SCHEME = /\b([Bb]earer|[Bb]asic|[Nn]egotiate)\s+(?=\S*[A-Z0-9=])[A-Za-z0-9+/=._~-]{8,}/g;
const USER = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>]+@/gi;

/**
 * A text without what looks like a secret: user information in a URL, values of parameters and fields with names such as
 * `delegation`, `access_token` or `password`, headers that log in; and without the secrets that are known, however they are
 * encoded. Each becomes `***`.
 */
export function withoutSecrets(text: string, known: readonly string[] = []): string {
  const all = known.filter((secret) => secret.length > 3).flatMap((secret) => [secret, encodeURIComponent(secret)]);
  const clean = all
    .sort((a, b) => b.length - a.length)
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), withoutKnownSecrets(text));
  return clean
    .replace(USER, '$1***@')
    .replace(HEADER, '$1$2***')
    .replace(SCHEME, '$1 ***')
    .replace(FIELD, '$1$2$1$3$4***$4')
    .replace(PARAMETER, '$1=***');
}

/** The secrets that a URL holds, by the names of its parameters. */
export function secretsOf(url: URL): readonly string[] {
  const named = new RegExp(`^(?:${NAMES})$`, 'i');
  return [...url.searchParams].filter(([name]) => named.test(name)).map(([, value]) => value);
}
