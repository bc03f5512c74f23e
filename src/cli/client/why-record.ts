import type { WhyAnswer } from '../../console/contract.js';
import { shownText } from '../../core/text.js';
import type { CommandContext } from '../command.js';
import { type ClientAsked, consolesOf } from './console-client.js';

/** What `rxflume why` is asked for. */
export interface WhyAsked extends ClientAsked {
  readonly stream: string;
  readonly offset: number;
  readonly isJson: boolean;
}

/** Prints where a record is, as the process that reads its stream knows. Exit code 1 where none does. */
export async function whyRecord(asked: WhyAsked, { out, env }: CommandContext): Promise<number> {
  const { stream, offset, isJson } = asked;
  const query = new URLSearchParams({ stream, offset: String(offset) });
  let answer: WhyAnswer | undefined;
  for (const client of consolesOf(asked, env)) {
    const one = await client.ask<WhyAnswer>(`api/why?${query}`);
    if (answer === undefined || answer.state === 'unknown') answer = one;
  }
  if (answer === undefined) return 1;
  out.write(isJson ? `${JSON.stringify(answer)}\n` : `${shownText(answer.message)}\n`);
  return answer.state === 'unknown' ? 1 : 0;
}
