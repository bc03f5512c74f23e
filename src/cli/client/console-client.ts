import { readFileSync } from 'node:fs';
import type { ConsoleFailure, ConsoleSnapshot } from '../../console/contract.js';
import { ConnectError, describeError, OptionError } from '../../core/errors.js';
import { shownUrl } from '../../core/text.js';
import { nameOf, type OptionForm, type OptionValues } from '../command.js';
import { CONSOLE_OPTION } from '../console/console-arguments.js';
import { notedConsoles, runtimeFolder } from '../console/runtime-file.js';

/** Which console a command asks; all of this user where no URL is given. */
export interface ClientAsked {
  readonly console: string | undefined;
  readonly tokenFile: string | undefined;
}

export const CLIENT_OPTIONS: Readonly<Record<string, OptionForm>> = {
  console: CONSOLE_OPTION,
  'token-file': { type: 'string' },
};

export const CLIENT_OPTIONS_HELP: readonly string[] = [
  '--console <url>        the console to ask (default: those that this user runs on this machine)',
  '--token-file <file>    with --console: a file with its password',
];

export function readClientArguments(options: OptionValues): ClientAsked {
  const [given, tokenFile] = [nameOf(options, 'console'), nameOf(options, 'token-file')];
  const url = given === undefined || /^\w+:\/\//.test(given) ? given : `http://${given}`;
  if (url !== undefined && !(URL.canParse(url) && /^https?:$/.test(new URL(url).protocol))) {
    throw new Error(`expected \`--console\` to be a URL such as http://127.0.0.1:9466, got \`${shownUrl(url)}\``);
  }
  if (tokenFile !== undefined && url === undefined) throw new Error('`--token-file` needs `--console`');
  return { console: url, tokenFile };
}

const WITHIN_MS = 5_000;

/** A console that commands ask. */
export class ConsoleClient {
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, token: string | undefined) {
    this.url = url.endsWith('/') ? url : `${url}/`;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** What it answers to a GET, or with a body, to a POST. Fails: `ConnectError` where it does not answer, or not with what was asked for. */
  async ask<T>(path: string, body?: unknown): Promise<T> {
    const sent =
      body === undefined
        ? { headers: this.#headers }
        : {
            method: 'POST',
            headers: { ...this.#headers, 'content-type': 'application/json' },
            body: JSON.stringify(body),
          };
    const response = await this.#fetch(path, { ...sent, signal: AbortSignal.timeout(WITHIN_MS) });
    return (await response.json()) as T;
  }

  snapshot(): Promise<ConsoleSnapshot> {
    return this.ask('api/snapshot?alone');
  }

  /** Events of its stream until it ends, or `signal` says so. */
  async *events(query: string, signal: AbortSignal): AsyncGenerator<{ readonly event: string; readonly data: string }> {
    const response = await this.#fetch(`api/stream${query}`, { headers: this.#headers, signal });
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = parts.pop() ?? '';
      for (const part of parts) {
        const event = /^event: (.*)$/m.exec(part)?.[1];
        const data = /^data: (.*)$/m.exec(part)?.[1];
        if (event !== undefined && data !== undefined) yield { event, data };
      }
    }
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(new URL(path, this.url), { ...init, redirect: 'error' });
    } catch (cause) {
      const message = `The console at ${shownUrl(this.url)} does not answer: ${describeError(cause)}. Start the flow with \`--console\`.`;
      throw new ConnectError('RXF_CONSOLE_UNREACHABLE', message, { cause });
    }
    if (response.ok) return response;
    const { code, message } = await failureOf(response);
    throw new ConnectError(
      'RXF_CONSOLE_UNREACHABLE',
      `The console at ${shownUrl(this.url)} answered ${code}: ${message}`,
    );
  }
}

async function failureOf(response: Response): Promise<ConsoleFailure> {
  try {
    return (await response.json()) as ConsoleFailure;
  } catch {
    return { code: String(response.status), message: 'What answers is no console of rxflume. Correct `--console`.' };
  }
}

/** The consoles to ask. Fails: `RXF_CONSOLE_UNREACHABLE` where this user runs none. */
export function consolesOf(
  { console: url, tokenFile }: ClientAsked,
  env: Readonly<Record<string, string | undefined>>,
): ConsoleClient[] {
  const noted = notedConsoles(runtimeFolder(env));
  if (url !== undefined) {
    const { origin } = new URL(url);
    const token =
      tokenFile === undefined ? noted.find((one) => new URL(one.url).origin === origin)?.token : tokenIn(tokenFile);
    return [new ConsoleClient(url, token)];
  }
  if (noted.length === 0) {
    const message =
      'This user runs no console on this machine. Start the flow with `rxflume run <file> --console`, or give `--console <url>`.';
    throw new ConnectError('RXF_CONSOLE_UNREACHABLE', message);
  }
  return noted.map((one) => new ConsoleClient(one.url, one.token));
}

/** The one whose process runs the flow. */
export async function consoleWith(
  flow: string,
  clients: readonly ConsoleClient[],
): Promise<{ client: ConsoleClient; snapshot: ConsoleSnapshot }> {
  const known: string[] = [];
  for (const client of clients) {
    const snapshot = await client.snapshot();
    if (snapshot.flows.some(({ name }) => name === flow)) return { client, snapshot };
    known.push(...snapshot.flows.map(({ name }) => name));
  }
  const those = known.length === 0 ? 'They show no flow' : `They show ${known.join(', ')}`;
  throw new ConnectError('RXF_CONSOLE_UNREACHABLE', `No console shows flow \`${flow}\`. ${those}.`);
}

function tokenIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `Cannot read ${file}, the file of \`--token-file\`: ${describeError(cause)}.`,
      { cause },
    );
  }
}
