import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach } from '@jest/globals';

/** What a server does to the next such request instead of, or after, answering it. */
export type Fault =
  /** Cuts the connection and does nothing. */
  | 'drop'
  /** Does it, then cuts the connection. */
  | 'lose'
  /** Never answers, and does nothing. */
  | 'hang'
  /** Cuts the connection, and does it after so many further looks: the request was still on its way, or waited for a lock. */
  | { readonly doneAfterLooks: number }
  | { readonly status: number; readonly body?: string | Buffer; readonly headers?: http.OutgoingHttpHeaders };

interface Asked {
  readonly op: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

interface Outcome {
  readonly status: number;
  readonly body?: string | Buffer;
  readonly headers?: http.OutgoingHttpHeaders;
}

export const SECRET = 'sEcReT-token';
const running: (() => void)[] = [];
afterEach(() => {
  for (const stop of running.splice(0)) stop();
});

export function remote(exception: string, message: string, status = 403): Outcome {
  const body = JSON.stringify({
    RemoteException: { exception, javaClassName: `org.apache.hadoop.${exception}`, message },
  });
  return { status, body, headers: { 'content-type': 'application/json' } };
}

/** As much of HDFS as the driver speaks to: NameNodes, one DataNode, one HttpFS, on real sockets. */
export class FakeCluster {
  readonly files = new Map<string, Buffer>();
  readonly folders = new Set(['/']);
  /** Every request that came, as `0 GETFILESTATUS /path` (the NameNode's number), `dn PUT CREATE /path`. */
  readonly calls: string[] = [];
  readonly queries: URLSearchParams[] = [];
  readonly headers: http.IncomingHttpHeaders[] = [];
  readonly nameNodes: string[] = [];
  /** Of each NameNode: what it is. */
  readonly states: ('active' | 'standby' | 'safe-mode')[] = [];
  dataNode = '';
  /** Where the Location points; default the DataNode. */
  location: string | undefined;
  redirect: 'json' | '307' = 'json';
  /** What the DataNode does with an upload; default it takes it. */
  upload: ((request: http.IncomingMessage, response: http.ServerResponse, asked: Asked) => void) | undefined;
  /** Connections that were made, and those that stand. */
  sockets = 0;
  live = 0;
  readonly #late: { looks: number; readonly work: () => void }[] = [];
  readonly #faults: { op: string; fault: Fault }[] = [];

  static async start({ nameNodes = 1 } = {}): Promise<FakeCluster> {
    const cluster = new FakeCluster();
    for (let index = 0; index < nameNodes; index++) {
      cluster.states.push(index === nameNodes - 1 ? 'active' : 'standby');
      cluster.nameNodes.push(await listen((request, response) => cluster.#nameNode(index, request, response), cluster));
    }
    cluster.dataNode = await listen((request, response) => cluster.#dataNode(request, response), cluster);
    return cluster;
  }

  next(op: string, ...faults: Fault[]): void {
    this.#faults.push(...faults.map((fault) => ({ op, fault })));
  }

  /** How often an operation came. */
  count(op: string): number {
    return this.calls.filter((call) => call.split(' ').includes(op)).length;
  }

  #asked(who: string, request: http.IncomingMessage): Asked {
    const url = new URL(request.url ?? '/', 'http://x');
    const path = decodeURIComponent(url.pathname.replace(/^.*?\/webhdfs\/v1/, '')) || '/';
    const op = (url.searchParams.get('op') ?? '').toUpperCase();
    this.calls.push(`${who} ${op} ${path}`);
    this.queries.push(url.searchParams);
    this.headers.push(request.headers);
    return { op, path, query: url.searchParams };
  }

  #nameNode(index: number, request: http.IncomingMessage, response: http.ServerResponse): void {
    const asked = this.#asked(String(index), request);
    const state = this.states[index];
    if (asked.query.get('data') === 'true') {
      this.#take(request, response, asked);
      return;
    }
    this.#reply(request, response, asked, () => {
      if (state === 'standby')
        return remote('StandbyException', 'Operation category READ is not supported in state standby');
      const writes = ['MKDIRS', 'RENAME', 'DELETE'].includes(asked.op);
      if (state === 'safe-mode' && writes)
        return remote('SafeModeException', `Cannot do ${asked.op}. Name node is in safe mode.`);
      return this.#do(asked);
    });
  }

  #reply(request: http.IncomingMessage, response: http.ServerResponse, asked: Asked, work: () => Outcome): void {
    const index = this.#faults.findIndex(({ op }) => op === asked.op);
    const fault = index < 0 ? undefined : this.#faults.splice(index, 1)[0]?.fault;
    if (fault === 'hang') return;
    if (fault === 'drop') return void request.socket.destroy();
    if (typeof fault === 'object' && 'doneAfterLooks' in fault) {
      this.#late.push({ looks: fault.doneAfterLooks, work });
      if (fault.doneAfterLooks === 0) this.#looked(0);
      return void request.socket.destroy();
    }
    const outcome = typeof fault === 'object' ? fault : work();
    if (fault === 'lose') return void request.socket.destroy();
    response.writeHead(outcome.status, outcome.headers).end(outcome.body);
    if (asked.op === 'GETFILESTATUS') this.#looked(1);
  }

  #looked(looks: number): void {
    for (const late of [...this.#late]) {
      late.looks -= looks;
      if (late.looks > 0) continue;
      this.#late.splice(this.#late.indexOf(late), 1);
      late.work();
    }
  }

  #do({ op, path, query }: Asked): Outcome {
    switch (op) {
      case 'CREATE': {
        const url = new URL(`${this.location ?? this.dataNode}/webhdfs/v1${encodePath(path)}`);
        url.search = `op=CREATE&overwrite=${query.get('overwrite')}&delegation=${SECRET}`;
        if (this.redirect === '307' || query.get('noredirect') !== 'true')
          return { status: 307, headers: { location: url.href } };
        return json({ Location: url.href });
      }
      case 'OPEN': {
        if (!this.files.has(path)) return absent(path);
        if (query.get('noredirect') !== 'true') return { status: 200, body: this.files.get(path)! };
        return json({
          Location: `${this.location ?? this.dataNode}/webhdfs/v1${encodePath(path)}?op=OPEN&delegation=${SECRET}`,
        });
      }
      case 'GETFILESTATUS':
        if (this.#belowFile(path)) return remote('AccessControlException', `${path} (is not a directory)`);
        return this.#has(path) ? json({ FileStatus: this.#row(path, '') }) : absent(path);
      case 'LISTSTATUS': {
        if (this.files.has(path)) return json({ FileStatuses: { FileStatus: [this.#row(path, '')] } });
        if (!this.folders.has(path)) return absent(path);
        const prefix = path === '/' ? '/' : `${path}/`;
        const inside = [...this.files.keys(), ...this.folders].filter(
          (name) => name !== '/' && name.startsWith(prefix) && !name.slice(prefix.length).includes('/'),
        );
        return json({ FileStatuses: { FileStatus: inside.map((name) => this.#row(name, name.slice(prefix.length))) } });
      }
      case 'GET_BLOCK_LOCATIONS':
        return json({ LocatedBlocks: { isUnderConstruction: false } });
      case 'CHECKACCESS':
        return { status: 200 };
      case 'MKDIRS':
        if (this.files.has(path)) return remote('FileAlreadyExistsException', `Path is not a directory: ${path}`);
        if (this.#belowFile(path)) return remote('ParentNotDirectoryException', `${path} (is not a directory)`);
        this.#makeFolders(`${path}/x`);
        return json({ boolean: true });
      case 'DELETE': {
        const doomed = [...this.files.keys(), ...this.folders].filter((name) => `${name}/`.startsWith(`${path}/`));
        for (const name of doomed) this.files.delete(name) || this.folders.delete(name);
        return json({ boolean: doomed.length > 0 });
      }
      case 'RENAME':
        return this.#rename(path, query.get('destination') ?? '', query.get('renameoptions') === 'NONE');
      default:
        return remote('IllegalArgumentException', `Invalid value for webhdfs parameter "op": ${op}`, 400);
    }
  }

  #rename(from: string, to: string, strict: boolean): Outcome {
    const reject = (outcome: Outcome) => (strict ? outcome : json({ boolean: false }));
    const file = this.files.get(from);
    if (!file) return reject(remote('FileNotFoundException', `rename source ${from} is not found.`, 404));
    if (this.files.has(to))
      return reject(remote('FileAlreadyExistsException', `rename destination ${to} already exists`));
    if (this.folders.has(to) && strict)
      return remote('IOException', `Source ${from} and destination ${to} must both be directories`);
    const folder = to.slice(0, to.lastIndexOf('/')) || '/';
    if (!this.folders.has(folder)) {
      return reject(remote('FileNotFoundException', `rename destination parent ${to} not found.`, 404));
    }
    this.files.delete(from);
    this.files.set(this.folders.has(to) ? `${to}/${from.slice(from.lastIndexOf('/') + 1)}` : to, file);
    return strict ? { status: 200 } : json({ boolean: true });
  }

  #dataNode(request: http.IncomingMessage, response: http.ServerResponse): void {
    const asked = this.#asked('dn', request);
    if (request.method === 'PUT') {
      this.#take(request, response, asked);
      return;
    }
    this.#reply(request, response, { ...asked, op: 'dn OPEN' }, () => ({
      status: 200,
      body: this.files.get(asked.path) ?? Buffer.alloc(0),
      headers: { connection: 'close' },
    }));
  }

  /** An upload; as a DataNode does, `100 Continue` comes first and unasked, and a body cut off leaves what came of it. */
  #take(request: http.IncomingMessage, response: http.ServerResponse, asked: Asked): void {
    response.writeContinue();
    if (this.upload) this.upload(request, response, asked);
    else this.take(request, response, asked);
  }

  take(request: http.IncomingMessage, response: http.ServerResponse, asked: Asked): void {
    if (asked.query.get('overwrite') !== 'false' || this.#has(asked.path)) {
      const { status, body } = remote(
        'FileAlreadyExistsException',
        `${asked.path} already exists\n\tat org.apache.hadoop.X(X.java:1)`,
      );
      response.writeHead(status, { connection: 'close', 'content-type': 'application/json' }).end(body);
      return;
    }
    const chunks: Buffer[] = [];
    const keep = () => {
      this.#makeFolders(asked.path);
      this.files.set(asked.path, Buffer.concat(chunks));
    };
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', keep);
    request.on('end', () => {
      this.#reply(request, response, { ...asked, op: 'dn CREATE' }, () => {
        keep();
        return { status: 201, headers: { connection: 'close' } };
      });
    });
  }

  #makeFolders(path: string): void {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
      this.folders.add(path.slice(0, end));
  }

  #belowFile(path: string): boolean {
    return [...this.files.keys()].some((file) => path.startsWith(`${file}/`));
  }

  #has(path: string): boolean {
    return this.files.has(path) || this.folders.has(path);
  }

  #row(path: string, pathSuffix: string) {
    const type = this.folders.has(path) ? 'DIRECTORY' : 'FILE';
    return { pathSuffix, type, length: this.files.get(path)?.length ?? 0, modificationTime: Date.now() };
  }
}

/** A server on a free port, closed with all its connections after the test. */
export async function listen(
  handler: http.RequestListener,
  count: { sockets: number; live: number } = { sockets: 0, live: 0 },
): Promise<string> {
  const server = http.createServer(handler);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    count.sockets++;
    count.live++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      count.live--;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  running.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A port on which nothing listens. */
export async function deadServer(): Promise<string> {
  const server = http.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

function json(value: unknown): Outcome {
  return { status: 200, body: JSON.stringify(value), headers: { 'content-type': 'application/json' } };
}

function absent(path: string): Outcome {
  return remote('FileNotFoundException', `File does not exist: ${path}`, 404);
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
