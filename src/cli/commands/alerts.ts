import type { AlertsAsked } from '../alerts.js';
import { command, textOf } from '../command.js';
import { suggestion } from '../suggestion.js';

export const alerts = command<AlertsAsked>({
  name: 'alerts',
  usage: ['alerts test <file> [--json]', 'alerts backtest <file> --from <folder or topic> [--json]'],
  summary: 'test the rules that <file> exports, or replay stored values through its surges',
  options: { from: { type: 'string' }, json: { type: 'boolean' } },
  optionsHelp: [
    '--from <where>         values of the past: a folder as of ledger, or kafka://host:port,host:port/topic',
    '--json                 print one JSON object, for programs',
  ],
  exitCodes: '0 as expected, 1 a test failed or the values cannot be read',
  example: 'rxflume alerts test alerts.ts',
  read([action, file, ...rest], options) {
    if (action === undefined) throw new Error('`alerts` needs `test` or `backtest`, and a file');
    if (action !== 'test' && action !== 'backtest')
      throw new Error(
        `expected \`alerts test\` or \`alerts backtest\`, got \`${action}\`${suggestion(action, ['test', 'backtest'])}`,
      );
    if (action === 'test' && options.from !== undefined) throw new Error('`alerts test` has no option `--from`');
    if (file === undefined) throw new Error(`\`alerts ${action}\` needs a file that exports \`rules\``);
    if (rest.length > 0) throw new Error(`\`alerts ${action}\` takes one file; also got \`${rest[0]}\``);
    const isJson = options.json === true;
    if (action === 'test') return { action, file, isJson };
    const from = textOf(options, 'from') ?? '';
    if (from === '') throw new Error('`alerts backtest` needs `--from`, a folder or a topic');
    return { action, file, from, isJson };
  },
  async run(asked, context) {
    const { alertsCommand } = await import('../alerts.js');
    return alertsCommand(asked, context);
  },
});
