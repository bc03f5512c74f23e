import { existsSync, readFileSync } from 'node:fs';
import type { Observable } from 'rxjs';
import type { AlertEvent } from '../../alerts/index.js';
import { consoleOf } from '../../console/console-app.js';
import { describeError, OptionError } from '../../core/errors.js';
import { secretNow } from '../../core/secret.js';
import { runningFlows } from '../../flow/running-flows.js';
import { secret } from '../../security/secret-sources.js';
import type { CommandContext } from '../command.js';
import type { ConsoleLog } from '../console-log.js';
import { storeOf } from '../dlq/store-of.js';
import { serveHttp } from '../http-server.js';
import type { ConsoleAsked } from './console-arguments.js';
import { peerList } from './peer-list.js';
import { noteConsole, notedConsoles, runtimeFolder } from './runtime-file.js';

/** A page hears something every 15 s, so a client that takes nothing for so long does not read. */
const SILENT_FOR_MS = 40_000;

/**
 * Serves the console of this process, prints its link, and notes it for the commands of the same user. Returns what ends it. `ownPeers` are
 * consoles that it shows besides those that are asked for, as they are now.
 *
 * Fails: `RXF_CONSOLE_LISTEN` where it cannot listen; `RXF_OPTION_INVALID` for a file that cannot be read or what is in it.
 */
export async function serveConsole(
  { address, passwordFile, peers, deadLetters, replays, redact, name, readOnly, trustedHeader, hosts }: ConsoleAsked,
  alerts$: Observable<AlertEvent> | undefined,
  context: CommandContext,
  log: ConsoleLog,
  ownPeers: () => readonly string[] = () => [],
): Promise<() => void> {
  const { err, env } = context;
  const stored = { mode: 'webhdfs', ...(replays !== undefined && { replays }) } as const;
  const store = deadLetters === undefined ? undefined : await storeOf({ ...stored, where: deadLetters }, context);
  if (passwordFile !== undefined) textOf('--console-password-file', passwordFile);
  const password = passwordFile === undefined ? undefined : secret.file(passwordFile);
  const folder = runtimeFolder(env);
  const tokenOf = (url: string) =>
    password === undefined ? tokenAt(url, folder) : secretNow('--console-password-file', password);
  const isFile = peers !== undefined && existsSync(peers);
  const listed = async () => {
    const given = peers === undefined ? [] : await peerList(peers, isFile, address.port);
    return [...new Set([...given, ...ownPeers()])];
  };
  // What is wrong at the start is a mistake; later it may pass.
  const known = await listed();
  const app = consoleOf(
    {
      readOnly,
      hosts,
      ...(name !== undefined && { name }),
      ...(password !== undefined && { password }),
      ...(trustedHeader !== undefined && { trustedHeader }),
      peers: known.slice(0, 100),
      ...(store !== undefined && { deadLetters: { '*': store } }),
      ...(redact !== undefined && { redact }),
      ...(alerts$ !== undefined && { alerts$ }),
    },
    runningFlows,
    tokenOf,
    listed,
  );
  const hint = '--console 127.0.0.1:0';
  const options = { what: 'the console', code: 'RXF_CONSOLE_LISTEN', hint, silentForMs: SILENT_FOR_MS } as const;
  try {
    const { url, close } = await serveHttp(app.fetch, address, options);
    const remove = noteConsole(folder, { url, token: app.clientToken, pid: process.pid });
    // The log may be kept and read by others: the link is not in it.
    log.say('info', 'console.listening', `Serving the console at ${url}.`, { url });
    err.write(`rxflume: open ${url.replace('//0.0.0.0:', '//localhost:')}/${app.link()} (works once)\n`);
    return () => {
      app.end();
      close();
      remove?.();
    };
  } catch (error) {
    app.end();
    throw error;
  }
}

/** A process of this user says itself what to log in with. */
function tokenAt(url: string, folder: string | undefined): string | undefined {
  const { origin } = new URL(url);
  return notedConsoles(folder).find((noted) => new URL(noted.url).origin === origin)?.token;
}

function textOf(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const message = `Cannot read ${file}, the file of \`${option}\`: ${describeError(cause)}. Correct the path, or its rights.`;
    throw new OptionError('RXF_OPTION_INVALID', message, { cause });
  }
}
