import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Answers Web-standard requests. */
export type FetchHandler = (request: Request) => Response | Promise<Response>;

const WITHOUT_BODY = ['GET', 'HEAD'];

/**
 * Has a handler of Web-standard requests, such as `fetch` of `consoleApp`, answer those of Node's own server, and of frameworks over it.
 *
 * ```ts
 * import { createServer } from 'node:http';
 * import { consoleApp, nodeListener } from 'rxflume/console';
 *
 * const app = consoleApp();
 * const server = createServer(nodeListener(app.fetch));
 * server.listen(0, '127.0.0.1').close();
 * app.end();
 * ```
 *
 * Bounds: nothing is queued: a body is read as fast as the client takes it, and cancelled when the client is gone.
 * Fails: never; where the handler does, the client is disconnected.
 */
export function nodeListener(handle: FetchHandler): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  return (incoming, outgoing) => {
    respond(handle, incoming, outgoing).catch(() => outgoing.destroy());
  };
}

async function respond(handle: FetchHandler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  let response: Response;
  const request = requestOf(incoming);
  if (request === undefined) {
    response = new Response('Bad request.\n', { status: 400 });
  } else {
    response = await handle(request);
  }
  const { status, headers, body } = response;
  const isHead = incoming.method === 'HEAD';
  outgoing.writeHead(status, Object.fromEntries(headers));
  if (body === null || isHead) {
    await body?.cancel();
    outgoing.end();
    return;
  }
  // An event stream begins before anything has happened.
  outgoing.flushHeaders();
  await pipeline(Readable.fromWeb(body), outgoing);
}

/** Undefined for what is no request that the Web knows, such as a TRACE, or a path that is no URL. */
function requestOf(incoming: IncomingMessage): Request | undefined {
  const { method = 'GET', url = '/', headers } = incoming;
  const path = url.startsWith('/') ? url : '/';
  const given = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    [value ?? []].flat().map((one) => [name, one]),
  );
  try {
    const body = WITHOUT_BODY.includes(method) ? {} : { body: Readable.toWeb(incoming), duplex: 'half' };
    return new Request(`http://${hostOf(headers.host)}${path}`, { method, headers: given, ...body } as RequestInit);
  } catch {
    return undefined;
  }
}

/** A name that is no host is left to the handler to reject: it sees the header. */
function hostOf(host = 'localhost'): string {
  return URL.canParse(`http://${host}/`) ? host : 'localhost';
}
