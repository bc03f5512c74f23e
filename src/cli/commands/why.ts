import { askConsole } from '../client/ask-console.js';
import { CLIENT_OPTIONS, CLIENT_OPTIONS_HELP, readClientArguments } from '../client/console-client.js';
import type { WhyAsked } from '../client/why-record.js';
import { command, oneArgument } from '../command.js';

export const why = command<WhyAsked>({
  name: 'why',
  usage: ['why <stream>@<offset> [--json] [--console <url>]'],
  summary: 'print where a record is, since when, and what waits for it, in a flow that runs with --console',
  options: { ...CLIENT_OPTIONS, json: { type: 'boolean' } },
  optionsHelp: ['--json                 print one JSON object, for programs', ...CLIENT_OPTIONS_HELP],
  exitCodes: '0 found, 1 no flow reads the stream, or no console answers',
  example: 'rxflume why kafka:chat/3@120345',
  read(given, options) {
    const record = oneArgument('why', 'a record such as kafka:chat/3@120345', given);
    const [, stream, digits] = /^(.+)@(\d{1,16})$/.exec(record) ?? [];
    const offset = Number(digits);
    if (stream === undefined || !Number.isSafeInteger(offset)) {
      throw new Error(`expected a record such as kafka:chat/3@120345, got \`${record}\``);
    }
    return { ...readClientArguments(options), stream, offset, isJson: options.json === true };
  },
  async run(asked, context) {
    const { whyRecord } = await import('../client/why-record.js');
    return askConsole(() => whyRecord(asked, context), context);
  },
});
