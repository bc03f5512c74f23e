import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { Observable } from 'rxjs';
import { ConnectError } from '../../core/errors.js';

/** A claim of this process that is being given up is awaited for so long. */
const [AGAIN_MS, WITHIN_MS] = [50, 1_000];

/**
 * Claims a path for this subscription alone among the processes of this machine: a socket with a name made of it, in Linux's own room of
 * names, which ends with the process, however that ends. Elsewhere, and where no such socket may be made, nothing is claimed.
 *
 * Fails: `RXF_TAIL_IN_USE` where another has it.
 * Source: unix(7), "Abstract sockets": of one network namespace.
 */
export function claim(path: string): Observable<unknown> {
  return new Observable((subscriber) => {
    if (process.platform !== 'linux') {
      subscriber.next(undefined);
      return undefined;
    }
    const server = createServer((socket) => socket.destroy());
    const end = performance.now() + WITHIN_MS;
    let timer: NodeJS.Timeout | undefined;
    const listen = () => server.listen({ path: `\0rxflume-${nameOf(path)}` });
    server.unref();
    server.on('listening', () => subscriber.next(undefined));
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') subscriber.next(undefined);
      else if (performance.now() < end) timer = setTimeout(listen, AGAIN_MS);
      else subscriber.error(inUseError(path));
    });
    listen();
    return () => {
      clearTimeout(timer);
      server.close();
    };
  });
}

/** The same for every way that leads to the path. */
function nameOf(path: string): string {
  let folder = dirname(resolve(path));
  try {
    folder = realpathSync(folder);
  } catch {
    // It is made later, and then by this process.
  }
  return createHash('sha256')
    .update(join(folder, basename(path)))
    .digest('base64url');
}

function inUseError(path: string): ConnectError {
  return new ConnectError(
    'RXF_TAIL_IN_USE',
    `The position file ${path} is in use by another source of this machine. Two would overwrite each other's positions: give each its ` +
      'own, and files of its own; or wait for the end of the other one, with `retryConnect`.',
    { details: { path } },
  );
}
