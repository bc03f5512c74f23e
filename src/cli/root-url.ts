import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where a sink's root is: a folder of this machine, or one of HDFS through these servers. */
export type RootLocation =
  | { readonly kind: 'disk'; readonly path: string }
  | { readonly kind: 'hdfs'; readonly path: string; readonly nameNodes: readonly string[] };

/** Hadoop's own schemes, with the protocol beneath and the ports that Hadoop gives NameNodes and HttpFS. */
const SCHEMES = new Map([
  ['webhdfs', { protocol: 'http', webhdfs: 9870, httpfs: 14000 }],
  ['swebhdfs', { protocol: 'https', webhdfs: 9871, httpfs: 14000 }],
]);
/** What to give instead of what people try first. */
const HINTS = new Map([
  ['hdfs', "; hdfs:// is Hadoop's own protocol, give the NameNode's WebHDFS as webhdfs://namenode:9870/path"],
  ['viewfs', '; give the WebHDFS of the cluster behind it as webhdfs://namenode:9870/path'],
  ['http', '; give it as webhdfs://host:port/path'],
  ['https', '; give it as swebhdfs://host:port/path'],
]);
const HOST = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/;

/**
 * Reads where a sink's root is: a path of this machine, from `cwd` where it is relative, a `file://` URL, or
 * `webhdfs://host:port/path` and `swebhdfs://…`, with several NameNodes as `nn1:9870,nn2:9870`. The path is kept as it is
 * written, as in Hadoop: `%` is a `%`. The root of a file system is the empty path.
 *
 * Throws an `Error` that says what is wrong with it.
 */
export function readRoot(text: string, mode: 'webhdfs' | 'httpfs', cwd: string): RootLocation {
  const [, scheme, rest = ''] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(text) ?? [];
  if (text === '') throw new Error('expected the root of a file sink, got an empty string');
  if (scheme === undefined) return { kind: 'disk', path: trimmed(resolve(cwd, text)) };
  if (scheme === 'file') return { kind: 'disk', path: trimmed(diskPath(text)) };
  const known = SCHEMES.get(scheme);
  if (known === undefined) {
    throw new Error(`expected a path, file://, webhdfs:// or swebhdfs://, got ${scheme}://${HINTS.get(scheme) ?? ''}`);
  }
  const slash = rest.indexOf('/');
  const [hosts, path] = slash < 0 ? [rest, ''] : [rest.slice(0, slash), rest.slice(slash)];
  // What is before an @ may be a secret, so it is not shown.
  if (hosts.includes('@')) throw new Error(`expected no user in ${scheme}://…; give it as \`--user\``);
  const nameNodes = hosts.split(',').map((host) => {
    const [, , port] = HOST.exec(host) ?? wrongHost(scheme, host);
    return `${known.protocol}://${host}${port === undefined ? `:${known[mode]}` : ''}`;
  });
  if (/[?#]/.test(path)) throw new Error(`expected no \`?\` or \`#\` in the path of ${scheme}://${hosts}/…`);
  if (path.split('/').some((name) => name === '.' || name === '..')) {
    throw new Error(`expected an absolute path without \`.\` and \`..\`, got \`${path}\``);
  }
  return { kind: 'hdfs', path: trimmed(path), nameNodes };
}

function diskPath(text: string): string {
  try {
    return fileURLToPath(text);
  } catch {
    throw new Error(`expected a file URL of this machine such as file:///srv/lake, got \`${text}\``);
  }
}

function wrongHost(scheme: string, host: string): never {
  throw new Error(`expected ${scheme}://host:port/path, or several as host:port,host:port, got the host \`${host}\``);
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, '');
}
