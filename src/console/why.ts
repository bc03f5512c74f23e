import type { RunningFlow } from '../flow/running-flows.js';
import type { WhyAnswer } from './contract.js';

/** Where a record is, of the flows of this process, and what waits for it. */
export function whyOf(flows: readonly RunningFlow[], stream: string, offset: number): WhyAnswer {
  const answers = flows.map(({ control }) => control.locate(stream, offset));
  const known = answers.find(({ state }) => state !== 'unknown') ?? answers.find(({ file }) => file !== undefined);
  if (known !== undefined) {
    const { state, at, sinceSeconds, attempt, holdsUp, file, message } = known;
    return {
      stream,
      offset,
      state,
      ...(at !== undefined && { at }),
      ...(sinceSeconds !== undefined && { sinceSeconds }),
      ...(attempt !== undefined && { attempt }),
      ...(holdsUp !== undefined && { holdsUp }),
      ...(file !== undefined && { file }),
      message,
    };
  }
  const message =
    `No flow of this process reads ${stream} now. Ask the process that does, or \`rxflume ledger <root> --stream ${stream}\` for ` +
    'what was committed.';
  return { stream, offset, state: 'unknown', message };
}
