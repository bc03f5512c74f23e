import { askConsole } from '../client/ask-console.js';
import { CLIENT_OPTIONS, CLIENT_OPTIONS_HELP, readClientArguments } from '../client/console-client.js';
import { command } from '../command.js';
import type { TopAsked } from '../top/top.js';

export const top = command<TopAsked>({
  name: 'top',
  usage: ['top [--once] [--json] [--console <url>]'],
  summary: 'show the flows that run with --console, their rates, backlog and age, each second',
  options: { ...CLIENT_OPTIONS, once: { type: 'boolean' }, json: { type: 'boolean' } },
  optionsHelp: [
    '--once                 print them once; so it is where the output is no terminal',
    '--json                 print a snapshot of each console a line, for programs',
    ...CLIENT_OPTIONS_HELP,
  ],
  notes:
    'Keys: s sorts by the next column, r the other way round, t shows streams or flows, / filters, arrows and page keys scroll, q quits.',
  exitCodes: '0 quit, 1 no console answers',
  example: 'rxflume top --once --json',
  read(given, options) {
    if (given.length > 0) throw new Error(`\`top\` takes no argument, got \`${given[0]}\``);
    return { ...readClientArguments(options), isOnce: options.once === true, isJson: options.json === true };
  },
  async run(asked, context) {
    const { topFlows } = await import('../top/top.js');
    return askConsole(() => topFlows(asked, context), context);
  },
});
