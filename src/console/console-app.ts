import { hostname } from 'node:os';
import { lastValueFrom, Subscription } from 'rxjs';
import { timeOfDayMs } from '../core/clock.js';
import { describeError } from '../core/errors.js';
import { secretNow } from '../core/secret.js';
import { sentence } from '../core/sentence.js';
import { type RunningFlow, runningFlows } from '../flow/running-flows.js';
import { versionOf } from '../metrics/runtime.js';
import { Access } from './access.js';
import { answer, Denied, failureAnswer, jsonAnswer, PAGE_POLICY } from './answers.js';
import { DeadLetterRoutes } from './dead-letter-routes.js';
import { flowNamed, hiddenFields } from './hidden-fields.js';
import { field, isCount, isOffset, isText, jsonBody } from './json-body.js';
import { LogLines } from './log-lines.js';
import { marbleTest } from './marble-test.js';
import { type CheckedOptions, type ConsoleAppOptions, checkOptions } from './options.js';
import { pageFile } from './page/page-files.js';
import { Peers, type PeerUrls } from './peers.js';
import { newToken } from './sessions.js';
import { SNAPSHOT_MS, Snapshots } from './snapshots.js';
import { controlOf, reset, steer } from './steering.js';
import { Streams } from './streams.js';
import { Taps } from './taps.js';
import { whyOf } from './why.js';

/** The console of this process. */
export interface ConsoleApp {
  /** Answers a request for the page, its data or a command. Never rejects. */
  fetch(request: Request): Promise<Response>;
  /** What a link ends in that logs a browser in, once: put it behind the address of the console. */
  link(): string;
  /** What other programs log in with, as `Authorization: Bearer`. */
  readonly clientToken: string;
  /** Ends streams and taps, and all that was measured for them. */
  end(): void;
}

type Route = (request: Request, args: readonly string[], query: URLSearchParams) => Response | Promise<Response>;

/**
 * The console of all flows in this process, as a function from a Web-standard `Request` to a `Response`: mount it in the server that
 * your application has, below a path of its own. Who opens it needs a link, which works once, or the password.
 *
 * ```ts
 * import { consoleApp } from 'rxflume/console';
 *
 * export const app = consoleApp({ readOnly: true });
 * console.log(`http://127.0.0.1:3000/${app.link()}`);
 * // Hono: server.mount('/', app.fetch). Node's own: see docs/guides/operate.md.
 * app.end();
 * ```
 *
 * Bounds: 16 event streams with 256 KiB and a snapshot each, 8 taps of 100 values of 64 KiB (4 Mi characters together), 100 sessions,
 * 500 log lines, 1,000 alerts, 15 minutes of history of 100 flows and sources; 64 KiB for the body of a request. While somebody looks, snapshots take
 * at most a hundredth of the time of the process, and all taps together another.
 * Fails: `OptionError` at the call for a bad option; never for a request.
 */
export function consoleApp(options: ConsoleAppOptions = {}): ConsoleApp {
  return consoleOf(options, runningFlows);
}

/** As `consoleApp`, of flows that are given, with a token for each peer where that is not the password, and with peers that change. */
export function consoleOf(
  options: ConsoleAppOptions,
  running: () => readonly RunningFlow[],
  tokenOf?: (url: string) => string | undefined,
  peerUrls: PeerUrls = () => Promise.resolve(options.peers ?? []),
): ConsoleApp {
  const checked = checkOptions(options);
  const { password } = checked;
  const byPassword = () => (password === undefined ? undefined : secretNow('password', password));
  return new Console(checked, running, tokenOf ?? byPassword, peerUrls);
}

class Console implements ConsoleApp {
  readonly clientToken = newToken();
  readonly #options: CheckedOptions;
  readonly #running: () => readonly RunningFlow[];
  readonly #access: Access;
  readonly #streams = new Streams();
  readonly #taps = new Taps((value) => this.#streams.tap(value));
  readonly #lines = new LogLines();
  readonly #peers: Peers;
  readonly #snapshots: Snapshots;
  readonly #deadLetters: DeadLetterRoutes;
  readonly #all = new Subscription();
  /** What needs a session, by method and the end of the path. */
  readonly #routes: readonly (readonly [method: string, path: RegExp, route: Route])[];

  constructor(
    options: CheckedOptions,
    running: () => readonly RunningFlow[],
    tokenOf: (url: string) => string | undefined,
    peerUrls: PeerUrls,
  ) {
    const { password, trustedHeader, hosts, peers, name = `${hostname()}:${process.pid}`, monitor } = options;
    this.#options = options;
    this.#running = running;
    this.#access = new Access({ clientToken: this.clientToken, password, trustedHeader, hosts });
    this.#peers = new Peers(peers, peerUrls, tokenOf, (error) => {
      const message = sentence(
        `The peers of the console cannot be listed: ${describeError(error)}`,
        'Those that were known are shown',
      );
      monitor.report({ what: 'console.peers', about: name, message, cause: error });
    });
    const parts = { name, version: versionOf(), running, peers: this.#peers };
    this.#snapshots = new Snapshots(options, parts);
    this.#deadLetters = new DeadLetterRoutes(options, running, (what) => this.#expectWritable(what));
    this.#routes = this.#table();
    const said = monitor.logEvents$.subscribe(({ level, what, message }) => {
      this.#streams.log(this.#lines.add(timeOfDayMs(), level, what, message));
    });
    const ticking = setInterval(() => this.#tick(), SNAPSHOT_MS);
    ticking.unref();
    this.#all.add(said);
    this.#all.add(() => clearInterval(ticking));
    this.#all.add(() => this.#snapshots.end());
    this.#all.add(() => this.#taps.endAll());
    this.#all.add(() => this.#deadLetters.end());
    this.#all.add(() => this.#streams.end());
  }

  link(): string {
    return `#token=${this.#access.newLink()}`;
  }

  readonly fetch = async (request: Request): Promise<Response> => {
    try {
      return await this.#answer(request);
    } catch (error) {
      return failureAnswer(error);
    }
  };

  end(): void {
    this.#all.unsubscribe();
  }

  async #answer(request: Request): Promise<Response> {
    this.#access.expectOwnHost(request);
    const { pathname, searchParams } = new URL(request.url);
    const { method } = request;
    if (!/\/api\//.test(pathname)) return this.#page(method, pathname);
    this.#access.expectOwnOrigin(request);
    if (/\/api\/session$/.test(pathname)) return this.#session(request);
    this.#access.expectSession(request);
    const found = this.#routes.flatMap(([own, path, route]) => {
      const match = path.exec(pathname);
      return match === null ? [] : [{ own, route, args: match.slice(1) }];
    });
    if (found.length === 0) throw new Denied(404, 'RXF_CONSOLE_REQUEST', 'The console has nothing by that path.');
    const exact = found.find(({ own }) => own === method);
    if (exact === undefined) {
      const allow = found.map(({ own }) => own).join(', ');
      throw new Denied(405, 'RXF_CONSOLE_REQUEST', `Only ${allow} is allowed here.`, { allow });
    }
    return exact.route(request, exact.args, searchParams);
  }

  #table() {
    const routes: (readonly [string, RegExp, Route])[] = [
      ['GET', /\/api\/snapshot$/, (_, __, query) => this.#snapshot(query)],
      ['GET', /\/api\/history$/, () => jsonAnswer(this.#snapshots.history())],
      ['GET', /\/api\/stream$/, (request, _, query) => this.#stream(request, query)],
      ['GET', /\/api\/why$/, (_, __, query) => this.#why(query)],
      ['POST', /\/api\/taps$/, (request) => this.#beginTap(request)],
      ['GET', /\/api\/taps\/(\w+)$/, (_, [id = '']) => jsonAnswer(this.#taps.read(id))],
      ['DELETE', /\/api\/taps\/(\w+)$/, (_, [id = '']) => this.#endTap(id)],
      ['GET', /\/api\/taps\/(\w+)\/test$/, (_, [id = '']) => this.#test(id)],
      ['GET', /\/api\/flows\/([\w-]+)\/dead-letters$/, (_, [flow = ''], query) => this.#deadLetters.list(flow, query)],
      [
        'POST',
        /\/api\/flows\/([\w-]+)\/dead-letters\/(preview|replay|drop)$/,
        (request, [flow = '', command = '']) => this.#deadLetters.command(request, flow, command),
      ],
      ['POST', /\/api\/flows\/([\w-]+)\/reset$/, (request, [flow = '']) => this.#reset(request, flow)],
      [
        'POST',
        /\/api\/flows\/([\w-]+)\/(\w+)$/,
        (request, [flow = '', command = '']) => this.#steer(request, flow, command),
      ],
    ];
    return routes;
  }

  async #page(method: string, path: string): Promise<Response> {
    if (method !== 'GET' && method !== 'HEAD') {
      throw new Denied(405, 'RXF_CONSOLE_REQUEST', 'Only GET and HEAD are allowed here.', { allow: 'GET, HEAD' });
    }
    const [, asset] = /\/assets\/(.+)$/.exec(path) ?? [];
    const last = path.slice(path.lastIndexOf('/') + 1);
    const file = asset === undefined && last.includes('.') ? undefined : await pageFile(asset ?? '');
    if (file === undefined) throw new Denied(404, 'RXF_CONSOLE_REQUEST', 'The console has no such file.');
    // What the page refers to is relative to it.
    if (asset === undefined && last !== '') return answer(308, null, { location: `${last}/` });
    const headers = { 'content-type': file.type, 'content-security-policy': PAGE_POLICY };
    return answer(200, method === 'HEAD' ? null : Buffer.from(file.body), headers);
  }

  async #session(request: Request): Promise<Response> {
    const { method } = request;
    if (method === 'POST') return answer(204, null, { 'set-cookie': await this.#access.begin(request) });
    if (method === 'DELETE') return answer(204, null, { 'set-cookie': this.#access.end(request) });
    throw new Denied(405, 'RXF_CONSOLE_REQUEST', 'Only POST and DELETE are allowed here.', { allow: 'POST, DELETE' });
  }

  #snapshot(query: URLSearchParams): Response {
    const isAlone = query.has('alone');
    if (!isAlone) this.#peers.look();
    return jsonAnswer(this.#snapshots.read(isAlone));
  }

  #stream(request: Request, query: URLSearchParams): Response {
    const taps = query.getAll('tap').slice(0, 16);
    const seen = request.headers.get('last-event-id');
    const lines = this.#lines.after(seen !== null && /^\d{1,15}$/.test(seen) ? Number(seen) : undefined);
    return this.#streams.open(lines, taps, this.#taps.wanted(taps));
  }

  #why(query: URLSearchParams): Response {
    const given = { stream: query.get('stream'), offset: Number(query.get('offset') ?? Number.NaN) };
    const stream = field(given, 'stream', isText, 'a stream, such as kafka:chat/3');
    const offset = field(given, 'offset', isOffset, 'an offset from 0');
    return jsonAnswer(whyOf(this.#running(), stream, offset));
  }

  async #beginTap(request: Request): Promise<Response> {
    this.#expectWritable('taps show values, and are rejected');
    const body = await jsonBody(request);
    const flow = field(body, 'flow', isText, 'the name of a flow');
    const edge = field(body, 'edge', isOffset, 'the number of an edge, from 0');
    const optional =
      <T>(isFit: (value: unknown) => value is T) =>
      (value: unknown): value is T | undefined =>
        value === undefined || isFit(value);
    const contains = field(body, 'contains', optional(isText), 'a text');
    const everyN = field(body, 'everyN', optional(isCount), 'a whole number from 1');
    const wanted = { flow, edge, ...(contains !== undefined && { contains }), ...(everyN !== undefined && { everyN }) };
    const running = this.#running();
    const hidden = hiddenFields(flowNamed(running, flow)?.flow, this.#options.redact);
    const id = this.#taps.begin(controlOf(running, flow), wanted, hidden);
    return jsonAnswer({ id }, 201);
  }

  #endTap(id: string): Response {
    this.#taps.end(id);
    return answer(204, null);
  }

  #test(id: string): Response {
    const { flow, edge, values } = this.#taps.read(id);
    const parts = this.#snapshots.read(true).flows.find(({ name }) => name === flow)?.parts ?? [];
    const [from = `part ${edge}`, to = `part ${edge + 1}`] = [parts[edge]?.name, parts[edge + 1]?.name];
    const text = marbleTest({ flow, edge, from, to }, values, new Date(timeOfDayMs()).toISOString().slice(0, 19));
    const name = `${flow}-tap.test.ts`;
    const headers = {
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': `inline; filename="${name}"`,
    };
    return answer(200, text, headers);
  }

  async #steer(request: Request, flow: string, command: string): Promise<Response> {
    this.#expectWritable('commands are rejected');
    const body = await jsonBody(request);
    const done = steer(controlOf(this.#running(), flow), command, body);
    // The log says who did what to a flow: not the flow itself.
    this.#options.monitor.logEvent('info', 'console.command', `The console was asked to ${command} flow ${flow}.`, {
      flow,
    });
    return jsonAnswer(done);
  }

  async #reset(request: Request, flow: string): Promise<Response> {
    const body = await jsonBody(request);
    const control = controlOf(this.#running(), flow);
    if (body.confirm === true) {
      this.#expectWritable('commands are rejected');
      const message = `The console was asked to reset the position of flow ${flow}.`;
      this.#options.monitor.logEvent('info', 'console.command', message, { flow });
    }
    return jsonAnswer(await lastValueFrom(reset(control, body)));
  }

  #expectWritable(what: string): void {
    if (!this.#options.readOnly) return;
    const message = `The console is read-only, so ${what}. Start it without \`readOnly\` (\`--console-read-only\`) to allow them.`;
    throw new Denied(403, 'RXF_CONSOLE_READ_ONLY', message);
  }

  #tick(): void {
    this.#taps.sweep();
    this.#streams.beat();
    const isWanted = this.#streams.count > 0;
    if (isWanted) this.#peers.look();
    this.#snapshots.tick(isWanted ? (snapshot) => this.#streams.snapshot(JSON.stringify(snapshot)) : undefined);
  }
}
