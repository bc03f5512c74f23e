import { concatMap, firstValueFrom, from, toArray } from 'rxjs';
import { describeError } from '../core/errors.js';
import { Monitor } from '../core/monitor.js';
import { auditLedger } from '../sinks/files/ledger/audit.js';
import { ledgerStreams, readLedger } from '../sinks/files/ledger/reading.js';
import { LEDGER_RULES } from '../sinks/files/ledger/rules.js';
import { skipTo } from '../sinks/files/ledger/skip.js';
import { LedgerStore } from '../sinks/files/ledger/store.js';
import { type LedgerReport, ledgerJson, ledgerText } from './ledger-text.js';
import { isOwn } from './load-flow.js';
import { openRoot } from './open-root.js';
import { type RootLocation, readRoot } from './root-url.js';

/** What `rxflume ledger` is asked to look at. */
export interface LedgerAsked {
  readonly root: string;
  readonly mode: 'webhdfs' | 'httpfs';
  readonly user: string | undefined;
  readonly stream: string | undefined;
  readonly isJson: boolean;
  /** Where the ledger of `stream` is moved on to; undefined where it is only read. */
  readonly skipTo?: number | undefined;
}

/** What the command is run in: where it prints, and where it takes names and secrets from. */
export interface LedgerSetting {
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/**
 * Lists and verifies the ledger under the root of a file sink, and prints what was found. With `skipTo` it first moves the
 * ledger of one stream on; otherwise it writes and syncs nothing.
 *
 * Bounds: one stream at a time, see `readLedger`.
 * Fails: never; exit code 0 verified, 1 a problem or it could not be read, 2 wrong use.
 */
export async function ledger(asked: LedgerAsked, setting: LedgerSetting): Promise<0 | 1 | 2> {
  const { out, err } = setting;
  try {
    const report = await readReport(asked, setting);
    out.write(asked.isJson ? ledgerJson(report) : ledgerText(report));
    return report.audits.some(({ problems }) => problems.length > 0) ? 1 : 0;
  } catch (error) {
    const code = isOwn(error) ? `${error.code}: ` : '';
    err.write(`rxflume: ${code}${describeError(error)}\n`);
    return error instanceof WrongUse || (isOwn(error) && error.name === 'OptionError') ? 2 : 1;
  }
}

class WrongUse extends Error {}

async function readReport(asked: LedgerAsked, setting: LedgerSetting): Promise<LedgerReport> {
  const location = locationOf(asked, setting);
  // What is only read need not be made durable, and may be on a read-only disk.
  const fs = await openRoot(
    location,
    { ...asked, fsync: asked.skipTo === undefined ? 'never' : 'always' },
    setting.env,
  );
  const root = location.path;
  const shown = root === '' ? '/' : root;
  const found = await firstValueFrom(from(fs.status(shown)));
  if (found?.kind !== 'folder') {
    const what = found === null ? 'Nothing exists at' : 'A file, not a folder, exists at';
    throw new WrongUse(`${what} ${shown} on ${fs.name}. Pass the \`root\` of a file sink.`);
  }
  const { streams, others } = await firstValueFrom(ledgerStreams(fs, root));
  if (streams.length === 0) {
    throw new WrongUse(
      `There is no ledger under ${shown} on ${fs.name}: the flow has not committed yet, or runs at least once ` +
        '(`rxflume check` says which), or this is not the `root` of its file sink.',
    );
  }
  const chosen = streams.filter((stream) => asked.stream === undefined || stream === asked.stream);
  if (chosen.length === 0) {
    throw new WrongUse(`There is no ledger of ${asked.stream} under ${shown} on ${fs.name}, only of: ${few(streams)}.`);
  }
  if (asked.skipTo !== undefined) {
    const store = new LedgerStore(fs, root, LEDGER_RULES);
    await firstValueFrom(skipTo(store, chosen[0] as string, asked.skipTo, reportTo(setting.err)));
  }
  const audits = await firstValueFrom(
    from(chosen).pipe(
      concatMap((stream) => readLedger(fs, root, stream)),
      concatMap((read) => [auditLedger(read)]),
      toArray(),
    ),
  );
  return { root: shown, at: fs.name, audits, others };
}

function reportTo(err: LedgerSetting['err']): Monitor {
  const monitor = new Monitor();
  monitor.logEvents$.subscribe(({ message }) => err.write(`rxflume: ${message}\n`));
  return monitor;
}

function locationOf({ root, mode, user }: LedgerAsked, { cwd }: LedgerSetting): RootLocation {
  let location: RootLocation;
  try {
    location = readRoot(root, mode, cwd);
  } catch (error) {
    throw new WrongUse(describeError(error));
  }
  if (location.kind === 'disk' && (user !== undefined || mode !== 'webhdfs')) {
    throw new WrongUse(
      `\`${user === undefined ? '--mode' : '--user'}\` is for webhdfs:// and swebhdfs://, got ${root}`,
    );
  }
  return location;
}

const MAX_NAMED = 20;

function few(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  return names.slice(0, MAX_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
