import { parseArgs } from 'node:util';
import type { AnyCommand, OptionForm } from './command.js';
import { COMMANDS } from './commands/index.js';
import { suggestion } from './suggestion.js';

/** The command that is asked for, or `help` or `version`, with what its arguments say. */
export type Asked = { readonly verb: string } & Readonly<Record<string, unknown>>;

const OPTIONS: Readonly<Record<string, OptionForm & { short?: string }>> = {
  ...Object.assign({}, ...COMMANDS.map(({ options }) => options)),
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
};

const NAMES = COMMANDS.map(({ name }) => name);

/** Reads the command line. Throws an `Error` that says what is wrong with it. */
export function readArguments(args: readonly string[]): Asked {
  const { values, positionals } = parsed(withBareValues(args));
  if (values.help) return { verb: 'help' };
  if (values.version) return { verb: 'version' };
  const [verb, ...given] = positionals;
  if (verb === undefined) throw new Error(`expected a command: ${NAMES.join(', ')}`);
  if (verb === 'help') return given[0] === undefined ? { verb } : { verb, command: commandOf(given[0]).name };
  const { options, read } = commandOf(verb);
  for (const option of Object.keys(values)) {
    if (!Object.hasOwn(options, option)) throw new Error(`\`${verb}\` has no option \`--${option}\``);
  }
  return { verb, ...read(given, values) };
}

/** The command of that name. Throws an `Error` that names those there are. */
export function commandOf(name: string): AnyCommand {
  const found = COMMANDS.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new Error(`unknown command \`${name}\`${suggestion(name, NAMES) || `; expected ${NAMES.join(', ')}`}`);
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: OPTIONS });
  } catch (error) {
    const [, word] = /^Unknown option '--([^']+)'/.exec((error as Error).message) ?? [];
    if (word === undefined) throw error;
    const own = COMMANDS.find(({ name }) => args.includes(name))?.options ?? {};
    const meant = suggestion(word, Object.keys(own), '--') || suggestion(word, Object.keys(OPTIONS), '--');
    throw new Error(`unknown option '--${word}'${meant}`);
  }
}

/** Some options may be given without a value; then what follows them is something else. */
function withBareValues(args: readonly string[]): string[] {
  return args.map((arg, at) => {
    const bare = arg.startsWith('--') ? OPTIONS[arg.slice(2)]?.bare : undefined;
    return bare === undefined || bare.values.test(args[at + 1] ?? '') ? arg : `${arg}=${bare.value}`;
  });
}
