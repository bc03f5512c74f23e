import type { CommandDone, ResetPreview, ResetRequest } from '../../console/contract.js';
import { ConnectError } from '../../core/errors.js';
import { shownText } from '../../core/text.js';
import type { CommandContext } from '../command.js';
import { type ClientAsked, type ConsoleClient, consolesOf, consoleWith } from './console-client.js';

/** What `rxflume rewind` is asked for. */
export interface RewindAsked extends ClientAsked {
  readonly flow: string;
  readonly to: ResetRequest['to'];
  /** Empty: all of the flow. */
  readonly streams: readonly string[];
  /** Whether it is done, and not only shown. */
  readonly isSure: boolean;
  readonly isJson: boolean;
}

/**
 * Moves a running flow to another offset or time: each process that runs it is paused, moves what it reads, and reads on. Without `isSure` it
 * only shows what would be redelivered.
 */
export async function rewindFlow(asked: RewindAsked, { out, env }: CommandContext): Promise<number> {
  const { flow, to, streams, isSure, isJson } = asked;
  const clients = await allWith(flow, consolesOf(asked, env));
  const path = `api/flows/${encodeURIComponent(flow)}`;
  const body = { to, ...(streams.length > 0 && { streams }) };
  const ask = (confirm: boolean) =>
    inTurn(clients, (client) => client.ask<ResetPreview>(`${path}/reset`, { ...body, ...(confirm && { confirm }) }));
  const previews = isSure ? await paused(clients, path, () => ask(true)) : await ask(false);
  const perStream = previews.flatMap((preview) => preview.perStream);
  if (perStream.length === 0) {
    const those = streams.length === 0 ? 'no stream' : `none of ${streams.join(', ')}`;
    throw new ConnectError(
      'RXF_CONSOLE_UNREACHABLE',
      `Flow \`${flow}\` reads ${those} at the moment. \`rxflume top\` lists its streams.`,
    );
  }
  if (isJson) {
    out.write(`${JSON.stringify({ flow, isDone: isSure, perStream })}\n`);
    return 0;
  }
  for (const line of linesOf(perStream)) out.write(`${shownText(line)}\n`);
  out.write(isSure ? `Flow ${flow} reads on from there.\n` : 'Nothing was changed. Repeat it with --yes to do it.\n');
  return 0;
}

/** Does it while the flow is paused in all its processes; they read on whatever comes of it. */
async function paused<T>(clients: readonly ConsoleClient[], path: string, act: () => Promise<T>): Promise<T> {
  const done: ConsoleClient[] = [];
  const command = (client: ConsoleClient, name: string) =>
    client.ask<CommandDone>(`${path}/${name}`, { confirm: true });
  try {
    for (const client of clients) {
      await command(client, 'pause');
      done.push(client);
    }
    return await act();
  } finally {
    await inTurn(done, (client) => command(client, 'resume'));
  }
}

async function inTurn<T, U>(all: readonly T[], act: (one: T) => Promise<U>): Promise<U[]> {
  const answers: U[] = [];
  for (const one of all) answers.push(await act(one));
  return answers;
}

/** All whose process runs the flow; at least one. */
async function allWith(flow: string, clients: readonly ConsoleClient[]): Promise<ConsoleClient[]> {
  const running = await Promise.all(
    clients.map(async (client) => {
      const { flows } = await client.snapshot();
      return flows.some(({ name }) => name === flow) ? [client] : [];
    }),
  );
  const all = running.flat();
  return all.length > 0 ? all : [(await consoleWith(flow, clients)).client];
}

function linesOf(perStream: ResetPreview['perStream']): string[] {
  return perStream.map(({ stream, from, to, redelivered }) => {
    const count = Math.abs(redelivered);
    const what = redelivered >= 0 ? `${count} are delivered again` : `${count} are skipped, and never read`;
    return `${stream}: from ${from} to ${to}; ${what}`;
  });
}
