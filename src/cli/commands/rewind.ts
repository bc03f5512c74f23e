import { askConsole } from '../client/ask-console.js';
import { CLIENT_OPTIONS, CLIENT_OPTIONS_HELP, readClientArguments } from '../client/console-client.js';
import type { RewindAsked } from '../client/rewind-flow.js';
import { command, nameOf, oneArgument, textOf } from '../command.js';
import { givenPlace } from '../place.js';

export const rewind = command<RewindAsked>({
  name: 'rewind',
  usage: ['rewind <flow> --to <offset or time> [--streams <names>] [--yes] [--json] [--console <url>]'],
  summary: 'show what a flow that runs with --console would read again from an offset or time, and with --yes do it',
  options: {
    ...CLIENT_OPTIONS,
    to: { type: 'string' },
    streams: { type: 'string' },
    yes: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  optionsHelp: [
    '--to <offset or time>  such as 120000, or 2026-11-27T08:00:00Z: the first record at that time or later',
    '--streams <names>      only these, separated by commas, such as kafka:chat/3 (default: all of the flow)',
    '--yes                  do it: pause the flow, move it, and read on',
    '--json                 print one JSON object, for programs',
    ...CLIENT_OPTIONS_HELP,
  ],
  exitCodes: '0 shown or done, 1 no console answers, or the flow cannot be moved',
  example: 'rxflume rewind chat --to 2026-11-27T08:00:00Z',
  read(given, options) {
    const flow = oneArgument('rewind', 'the name of a flow that runs', given);
    const streams = (nameOf(options, 'streams') ?? '').split(',').map((name) => name.trim());
    return {
      ...readClientArguments(options),
      flow,
      to: targetOf(textOf(options, 'to')),
      streams: streams.filter(Boolean),
      isSure: options.yes === true,
      isJson: options.json === true,
    };
  },
  async run(asked, context) {
    const { rewindFlow } = await import('../client/rewind-flow.js');
    return askConsole(() => rewindFlow(asked, context), context);
  },
});

function targetOf(text: string | undefined): RewindAsked['to'] {
  const place = givenPlace('rewind', 'to', text);
  return 'offset' in place ? place : { time: place.timeMs };
}
