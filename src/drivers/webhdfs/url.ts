import { SinkError } from '../../core/errors.js';
import { isWellFormed, shownPath } from '../../core/text.js';

/** A path as it is in a URL: encoded per segment. */
export function encodePath(path: string): string {
  // A URL parser would resolve a dot segment, and the request would leave the folder it names.
  if (path.split('/').some((segment) => segment === '.' || segment === '..')) {
    const message = `Rejected ${path}: it has a \`.\` or \`..\` segment. Give the path without one.`;
    throw new SinkError('RXF_FILES_DENIED', message, { details: { path } });
  }
  // `encodeURIComponent` would throw an error of its own.
  if (!isWellFormed(path)) {
    const message = `Rejected ${shownPath(path)}: it has an unpaired surrogate, which no URL can have. Choose another name.`;
    throw new SinkError('RXF_FILES_NAME', message, { details: { path } });
  }
  return path.split('/').map(encodeURIComponent).join('/');
}

/** A WebHDFS URL: path and query encoded. */
export function requestUrl(server: URL, path: string, query: Readonly<Record<string, string>>): URL {
  const prefix = server.pathname === '/' ? '' : server.pathname;
  const encoded = encodePath(path);
  const pairs = Object.entries(query).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  return new URL(`${server.origin}${prefix}/webhdfs/v1${encoded}?${pairs.join('&')}`);
}

/** A server as messages show it: no query, for a token is there. */
export function serverName(url: URL): string {
  return `${url.protocol}//${url.host}`;
}

/** The folder a path is in. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
