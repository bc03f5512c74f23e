import { askConsole } from '../client/ask-console.js';
import { CLIENT_OPTIONS, CLIENT_OPTIONS_HELP, readClientArguments } from '../client/console-client.js';
import type { TapAsked } from '../client/tap-flow.js';
import { command, nameOf, type OptionValues } from '../command.js';

export const tap = command<TapAsked>({
  name: 'tap',
  usage: ['tap <flow> [<edge>] [--contains <text>] [--every <n>] [--count <n>] [--json] [--console <url>]'],
  summary: 'print values that pass an edge of a flow that runs with --console',
  options: {
    ...CLIENT_OPTIONS,
    contains: { type: 'string' },
    every: { type: 'string' },
    count: { type: 'string' },
    json: { type: 'boolean' },
  },
  optionsHelp: [
    '--contains <text>      only values whose text has this',
    '--every <n>            only one of so many',
    '--count <n>            end after so many (default: at a signal)',
    '--json                 print one JSON object a line, for programs',
    ...CLIENT_OPTIONS_HELP,
  ],
  notes:
    '<edge> is a number, from 0 behind the source, or the name of the part before it (default: the edge before the sink).',
  exitCodes: '0 ended, 1 no console has the flow, or it rejects taps',
  example: 'rxflume tap chat-to-hdfs decode --contains error --count 10',
  read([flow, edge, ...rest], options) {
    if (flow === undefined) throw new Error('`tap` needs the name of a flow');
    if (rest.length > 0) throw new Error(`\`tap\` takes a flow and an edge; also got \`${rest[0]}\``);
    const [everyN, count] = [countOf(options, 'every'), countOf(options, 'count')];
    const isJson = options.json === true;
    return {
      ...readClientArguments(options),
      flow,
      edge,
      contains: nameOf(options, 'contains'),
      everyN,
      count,
      isJson,
    };
  },
  async run(asked, context) {
    const { tapFlow } = await import('../client/tap-flow.js');
    return askConsole(() => tapFlow(asked, context), context);
  },
});

function countOf(options: OptionValues, name: string): number | undefined {
  const text = nameOf(options, name);
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new Error(`expected \`--${name}\` to be a whole number from 1, got \`${text}\``);
}
