import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { describeError, OptionError } from '../../core/errors.js';

/** A name that stands for several processes, as that of a headless service of Kubernetes: `dns:rxflume.jobs.svc:9466`. */
const DNS = /^dns:([^\s:/]+):(\d{1,5})$/;

/** How names are looked up, and files read. */
export interface PeerSources {
  readonly read: (file: string) => Promise<string>;
  readonly addresses: (name: string) => Promise<readonly string[]>;
  readonly own: () => readonly string[];
}

const REAL: PeerSources = {
  read: (file) => readFile(file, 'utf8'),
  addresses: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  own: ownAddresses,
};

/** The addresses of this machine. */
export function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
}

/**
 * The URLs that `--console-peers` means now: those that it lists, or that are in its file, with each `dns:<name>:<port>` replaced by the
 * addresses that the name has. To be asked again, since a file and a name change; `ownPort` is left out at the addresses of this machine.
 *
 * Fails: `RXF_OPTION_INVALID` for what is none of these, a file that cannot be read, a name that has no address.
 */
export async function peerList(
  given: string,
  isFile: boolean,
  ownPort: number,
  sources: PeerSources = REAL,
): Promise<readonly string[]> {
  const text = isFile ? (await read(given, sources)).replace(/#.*$/gm, '') : given;
  const entries = text.split(/[\s,]+/).filter(Boolean);
  const urls = await Promise.all(entries.map((entry) => urlsOf(entry, ownPort, sources)));
  return [...new Set(urls.flat())];
}

async function urlsOf(entry: string, ownPort: number, { addresses, own }: PeerSources): Promise<readonly string[]> {
  const [, name, port] = DNS.exec(entry) ?? [];
  if (name === undefined) {
    if (URL.canParse(entry) && /^https?:$/.test(new URL(entry).protocol)) return [entry];
    throw wrong(`Expected each of \`--console-peers\` to be a URL, or dns:<name>:<port>, got \`${entry}\`.`);
  }
  try {
    const mine = Number(port) === ownPort ? own() : [];
    const others = (await addresses(name)).filter((address) => !mine.includes(address));
    return others.map((address) => `http://${address.includes(':') ? `[${address}]` : address}:${port}/`);
  } catch (cause) {
    throw wrong(`Cannot look up ${name} of \`--console-peers\`: ${describeError(cause)}. Correct the name.`, cause);
  }
}

async function read(file: string, sources: PeerSources): Promise<string> {
  try {
    return await sources.read(file);
  } catch (cause) {
    throw wrong(
      `Cannot read ${file}, the file of \`--console-peers\`: ${describeError(cause)}. Correct the path, or its rights.`,
      cause,
    );
  }
}

function wrong(message: string, cause?: unknown): OptionError {
  return new OptionError('RXF_OPTION_INVALID', message, cause === undefined ? {} : { cause });
}
