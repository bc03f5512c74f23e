import type { Observable } from 'rxjs';
import type { AlertEvent } from '../alerts/alert.js';
import { defaultMonitor, type Monitor } from '../core/monitor.js';
import { expectOption, expectText, withDefaults } from '../core/options.js';
import { expectSecret, type SecretText, secretNow } from '../core/secret.js';
import type { DeadLetterStore } from '../dead-letters/index.js';

export interface ConsoleAppOptions {
  /** What the flows report to. Default `defaultMonitor`. */
  readonly monitor?: Monitor;
  /** What this process is called beside its peers. Default its host and id. */
  readonly name?: string;
  /** Whether commands and taps are rejected. Default false. */
  readonly readOnly?: boolean;
  /** The names by which the server is called, without ports; a request for another `Host` is rejected. Default those of loopback. */
  readonly hosts?: readonly string[];
  /**
   * Logs in, besides links that work once; also by `Authorization: Bearer`, for other processes. Not from an async function. Default none.
   */
  readonly password?: SecretText;
  /**
   * A header in which your reverse proxy says whom it has let in, such as `x-forwarded-user`: a request that has it is logged in. Only
   * where clients cannot reach this server but through the proxy, and the proxy removes the header from what they send. Default none.
   */
  readonly trustedHeader?: string;
  /** URLs of the consoles of other processes, which are asked with the same password. Default none. */
  readonly peers?: readonly string[];
  /**
   * Where the dead letters of flows are stored, by the name of the flow; `*` for those of all others: the page then lists, tries, edits,
   * replays and drops them. Default none.
   */
  readonly deadLetters?: Readonly<Record<string, DeadLetterStore>>;
  /** Names of fields whose values are not shown in taps and dead letters. */
  readonly redact?: readonly string[];
  /** Alerts to show, as `alerts` emits them. Default none. */
  readonly alerts$?: Observable<AlertEvent>;
}

/** The defaults of `consoleApp`. */
export const CONSOLE_APP_DEFAULTS = {
  monitor: defaultMonitor,
  readOnly: false,
  hosts: ['localhost', '127.0.0.1', '[::1]'],
  peers: [],
  deadLetters: {},
  redact: ['password', 'secret', 'token', 'authorization'],
} as const satisfies ConsoleAppOptions;

/** Fills in the defaults and checks all of it. Throws `OptionError`. */
export function checkOptions(options: ConsoleAppOptions) {
  const others = ['name', 'password', 'trustedHeader', 'alerts$'];
  const all = withDefaults('consoleApp options', CONSOLE_APP_DEFAULTS, options, others);
  const { monitor, name, readOnly, hosts, password, trustedHeader, peers, deadLetters, redact, alerts$ } = all;
  expectOption('monitor', monitor, typeof monitor?.samples === 'function', 'a Monitor');
  if (name !== undefined) expectText('name', name);
  expectOption('readOnly', readOnly, typeof readOnly === 'boolean', 'true or false');
  const secret = password === undefined ? undefined : expectSecret('password', password);
  const isLong = secret === undefined || secretNow('password', secret).length >= 8;
  expectOption('password', '…', isLong, 'a text of 8 characters or more');
  if (trustedHeader !== undefined) {
    const isName = typeof trustedHeader === 'string' && /^[a-z0-9-]+$/i.test(trustedHeader);
    expectOption('trustedHeader', trustedHeader, isName, 'the name of a header');
  }
  const isList = (list: unknown): list is readonly string[] =>
    Array.isArray(list) && list.every((one) => typeof one === 'string');
  expectOption('hosts', hosts, isList(hosts) && hosts.length > 0, 'a list of host names, without ports');
  expectOption(
    'peers',
    peers,
    isList(peers) && peers.length <= 100 && peers.every(isHttp),
    'a list of up to 100 URLs, http or https',
  );
  const areStores =
    typeof deadLetters === 'object' &&
    deadLetters !== null &&
    Object.values(deadLetters).every((store) => typeof store?.lines === 'function');
  expectOption(
    'deadLetters',
    deadLetters,
    areStores,
    'stores of dead letters by the name of a flow, such as `{ chat: deadLetterFolder(…) }`',
  );
  expectOption('redact', redact, isList(redact), 'a list of names of fields');
  const isStream = alerts$ === undefined || typeof (alerts$ as { subscribe?: unknown })?.subscribe === 'function';
  expectOption('alerts$', alerts$, isStream, 'an Observable of alerts');
  return { ...all, password: secret };
}

export type CheckedOptions = ReturnType<typeof checkOptions>;

function isHttp(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) && new URL(url).username === '';
}
