import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsoleSnapshot } from '../../console/contract.js';
import { untilStopped } from '../client/ask-console.js';
import { type ClientAsked, type ConsoleClient, consolesOf } from '../client/console-client.js';
import type { CommandContext } from '../command.js';
import { takeTerminal } from './terminal.js';
import { afterKey, TOP_START, type TopState } from './top-state.js';
import { topLines } from './top-table.js';

/** What `rxflume top` is asked for. */
export interface TopAsked extends ClientAsked {
  readonly isOnce: boolean;
  readonly isJson: boolean;
}

const EVERY_MS = 1_000;

/** Shows the flows of all consoles, each second, until it is stopped. A console that is gone is left out; where all are, it fails. */
export async function topFlows(asked: TopAsked, { out, env }: CommandContext): Promise<number> {
  const { isJson, isOnce } = asked;
  // Those that are started or end meanwhile are seen too.
  const look = () => snapshotsOf(consolesOf(asked, env));
  const isScreen = !isJson && !isOnce && process.stdout.isTTY && process.stdin.isTTY;
  if (isScreen) return topScreen(look);
  const stopped = untilStopped();
  try {
    do {
      const snapshots = await look();
      if (isJson) for (const snapshot of snapshots) out.write(`${JSON.stringify(snapshot)}\n`);
      else out.write(`${topLines(snapshots, TOP_START, { columns: 500, rows: 10_000 }).slice(0, -1).join('\n')}\n`);
      if (!isJson || isOnce) break;
      await sleep(EVERY_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    } while (!stopped.signal.aborted);
  } finally {
    stopped.end();
  }
  return 0;
}

async function snapshotsOf(clients: readonly ConsoleClient[]): Promise<ConsoleSnapshot[]> {
  const answers = await Promise.allSettled(clients.map((client) => client.snapshot()));
  const snapshots = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const failed = answers.find((answer) => answer.status === 'rejected');
  if (snapshots.length === 0 && failed !== undefined) throw failed.reason;
  return snapshots;
}

async function topScreen(look: () => Promise<ConsoleSnapshot[]>): Promise<number> {
  const stopped = new AbortController();
  const { stdout } = process;
  let state: TopState = TOP_START;
  let snapshots = await look();
  const size = () => ({ columns: stdout.columns, rows: stdout.rows });
  const draw = () => terminal.show(topLines(snapshots, state, size()));
  const onKey = (key: string) => {
    const next = afterKey(state, key, Math.max(1, stdout.rows - 3));
    if (next === 'quit') stopped.abort();
    else state = next;
    draw();
  };
  const stop = () => stopped.abort();
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop);
  const terminal = takeTerminal(process.stdin, stdout, onKey, () => draw());
  try {
    while (!stopped.signal.aborted) {
      draw();
      await sleep(EVERY_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (!stopped.signal.aborted) snapshots = await look();
    }
  } finally {
    terminal.end();
    process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', stop);
  }
  return 0;
}
