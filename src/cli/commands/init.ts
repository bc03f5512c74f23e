import { command, nameOf, type OptionValues } from '../command.js';
import { isName } from '../init/ask.js';
import { SINK_KINDS, SOURCE_KINDS } from '../init/parts.js';
import { suggestion } from '../suggestion.js';

export const init = command({
  name: 'init',
  usage: ['init [<folder>] [--source <kind>] [--sink <kind>] [--name <name>] [--yes] [--json]'],
  summary: 'write a project with a flow and its test, which runs without services; overwrites nothing',
  options: {
    source: { type: 'string' },
    sink: { type: 'string' },
    name: { type: 'string' },
    yes: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  optionsHelp: [
    `--source <kind>        ${SOURCE_KINDS.join(', ')}`,
    `--sink <kind>          ${SINK_KINDS.join(', ')}`,
    "--name <name>          of the flow and the package (default: the folder's)",
    '--yes                  ask nothing: what is not given is kafka and hdfs',
    '--json                 print one JSON object, for programs; asks nothing',
  ],
  exitCodes: '0 written, 1 a file is there already',
  example: 'rxflume init chat-lake --source kafka --sink hdfs',
  read: ([folder = '.', ...rest], options) => {
    if (rest.length > 0) throw new Error(`\`init\` takes one folder; also got \`${rest[0]}\``);
    const name = nameOf(options, 'name');
    if (name !== undefined && !isName(name)) {
      throw new Error(`expected \`--name\` to be lower-case letters, digits and \`-\`, got \`${name}\``);
    }
    const source = oneOf(options, 'source', SOURCE_KINDS);
    const sink = oneOf(options, 'sink', SINK_KINDS);
    return { folder, name, source, sink, isSure: options.yes === true, isJson: options.json === true };
  },
  async run(asked, context) {
    const { init: write } = await import('../init/init.js');
    return write(asked, context);
  },
});

function oneOf<T extends string>(options: OptionValues, option: string, all: readonly T[]): T | undefined {
  const given = nameOf(options, option);
  if (given === undefined || (all as readonly string[]).includes(given)) return given as T | undefined;
  throw new Error(`expected \`--${option}\` to be one of ${all.join(', ')}, got \`${given}\`${suggestion(given, all)}`);
}
