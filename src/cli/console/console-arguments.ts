import { hostname } from 'node:os';
import { nameOf, type OptionForm, type OptionValues, textOf } from '../command.js';
import { ADDRESS, addressOf, type ListenAddress } from '../http-server.js';
import { ownAddresses } from './peer-list.js';

const DEFAULT_CONSOLE_ADDRESS: ListenAddress = { host: '127.0.0.1', port: 9466 };

/** What `--console` and its companions ask for. */
export interface ConsoleAsked {
  readonly address: ListenAddress;
  readonly readOnly: boolean;
  readonly name: string | undefined;
  /** URLs or `dns:<name>:<port>`, separated by commas, or a file with one a line. */
  readonly peers: string | undefined;
  /** Where the flow stores its dead letters: a root, or a topic as `kafka://host:port/topic`. */
  readonly deadLetters: string | undefined;
  /** Of a topic: where it is kept what was replayed. */
  readonly replays: string | undefined;
  /** Fields whose values are not shown; undefined for the default. */
  readonly redact: readonly string[] | undefined;
  readonly passwordFile: string | undefined;
  readonly trustedHeader: string | undefined;
  /** Names by which the server is called. */
  readonly hosts: readonly string[];
}

const byDefault = `${DEFAULT_CONSOLE_ADDRESS.host}:${DEFAULT_CONSOLE_ADDRESS.port}`;

/** The same for all commands: where the console is served, or, as a URL too, which is asked. */
export const CONSOLE_OPTION: OptionForm = {
  type: 'string',
  bare: { value: byDefault, values: new RegExp(`${ADDRESS.source}|^https?:`) },
};

export const CONSOLE_OPTIONS: Readonly<Record<string, OptionForm>> = {
  console: CONSOLE_OPTION,
  'console-read-only': { type: 'boolean' },
  'console-name': { type: 'string' },
  'console-peers': { type: 'string' },
  'console-dead-letters': { type: 'string' },
  'console-replays': { type: 'string' },
  'console-redact': { type: 'string' },
  'console-password-file': { type: 'string' },
  'console-trusted-header': { type: 'string' },
  'console-hosts': { type: 'string' },
};

export const CONSOLE_OPTIONS_HELP: readonly string[] = [
  `--console [<host>:<port>]  serve the console (default ${byDefault})`,
  '--console-read-only    reject commands and taps',
  '--console-name <name>  what this process is called in it (default: its host and id)',
  '--console-peers <urls> other consoles to show: URLs or dns:<name>:<port>, separated by commas, or a file with one a line',
  '--console-dead-letters <root or topic>  where the flow stores its dead letters, as for dlq',
  '--console-replays <root>  of a topic: a folder in which it is kept what was replayed, always the same one',
  '--console-redact <fields>  hide the values of these fields instead of password, secret, token, authorization',
  '--console-password-file <file>  the password that it asks for, and other processes are asked with',
  '--console-trusted-header <name>  the header in which a reverse proxy says whom it has let in',
  '--console-hosts <names>  names by which it is called, separated by commas, besides its address',
];

/** Names of this machine that only it can use. */
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/i;
const ANY = ['0.0.0.0', '::'];

/** Null where no console is asked for. Throws an `Error` that says what is wrong with an option. */
export function readConsoleArguments(options: OptionValues): ConsoleAsked | null {
  const text = nameOf(options, 'console');
  if (text === undefined) {
    const [stray] = Object.keys(options).filter((name) => name.startsWith('console-'));
    if (stray !== undefined) throw new Error(`\`--${stray}\` needs \`--console\``);
    return null;
  }
  const address = addressOf('--console', text, DEFAULT_CONSOLE_ADDRESS);
  const passwordFile = nameOf(options, 'console-password-file');
  const trustedHeader = nameOf(options, 'console-trusted-header');
  if (!LOOPBACK.test(address.host) && passwordFile === undefined && trustedHeader === undefined) {
    throw new Error(
      `other machines reach \`--console ${text}\`: add \`--console-password-file <file>\`, or \`--console-trusted-header <name>\` where only ` +
        `a reverse proxy that logs people in reaches it, or use \`--console ${byDefault}\``,
    );
  }
  return {
    address,
    readOnly: options['console-read-only'] === true,
    name: nameOf(options, 'console-name'),
    peers: nameOf(options, 'console-peers'),
    deadLetters: nameOf(options, 'console-dead-letters'),
    replays: nameOf(options, 'console-replays'),
    redact: listOf(textOf(options, 'console-redact')),
    passwordFile,
    trustedHeader,
    hosts: hostsOf(address.host, nameOf(options, 'console-hosts')),
  };
}

function listOf(text: string | undefined): readonly string[] | undefined {
  return text
    ?.split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}

/**
 * By which names it may be called: those of loopback, its own address, and where others reach it, the name of the machine, and the
 * addresses of it. No name of another site resolves to an address in `Host`.
 */
function hostsOf(host: string, given = ''): string[] {
  const asHost = (address: string) => (address.includes(':') ? `[${address}]` : address);
  const shown = asHost(host);
  const own = LOOPBACK.test(host) ? [] : [hostname(), ...(ANY.includes(host) ? ownAddresses().map(asHost) : [shown])];
  const more = given
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  return [...new Set(['localhost', '127.0.0.1', '[::1]', shown, ...own, ...more].map((name) => name.toLowerCase()))];
}
