import { command, nameOf, oneArgument } from '../command.js';
import type { MigrateAsked } from '../migrate/migrate.js';

export const migrate = command<MigrateAsked>({
  name: 'migrate',
  usage: ['migrate <agent.conf> [--name <agent>] [--out <folder>] [--report | --json] [--force]'],
  summary: 'write an agent of Apache Flume as flows, with a test, and say what became of each of its settings',
  options: {
    name: { type: 'string' },
    out: { type: 'string' },
    report: { type: 'boolean' },
    json: { type: 'boolean' },
    force: { type: 'boolean' },
  },
  optionsHelp: [
    '--name <agent>         which agent of the file (default: the only one)',
    '--out <folder>         the project to write (default: a folder named after the agent; with --report or --json none)',
    '--report               print a table of all settings, in Markdown',
    '--json                 print one JSON object, for programs',
    '--force                overwrite files that are there',
  ],
  exitCodes: '0 migrated, 1 migrated with parts that you have to write',
  example: 'rxflume migrate agent.conf --name a1 --out flows',
  read(given, options) {
    const file = oneArgument('migrate', "the file of an agent's properties", given);
    if (options.report && options.json) throw new Error('`migrate` prints either `--report` or `--json`');
    const print = options.json ? 'json' : options.report ? 'report' : 'summary';
    return {
      file,
      agent: nameOf(options, 'name'),
      out: nameOf(options, 'out'),
      print,
      isForced: options.force === true,
    };
  },
  async run(asked, context) {
    const { migrate: write } = await import('../migrate/migrate.js');
    return write(asked, context);
  },
});
