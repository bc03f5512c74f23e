import { parseArgs } from 'node:util';

export const HELP = `Usage: rxflume run <file> [options]

Runs the flow that <file> (TypeScript or JavaScript) exports as default.

Options:
  --until-idle <ms>      drain and end when nothing came for so long
  --drain-timeout <ms>   the longest a drain may take (default 60000)
  -h, --help             print this
  -v, --version          print the version

SIGINT or SIGTERM drains: takes no more, makes durable what is out, commits, prints a summary. A second one abandons.

Exit codes: 0 drained, 1 failed or abandoned, 2 wrong use.
`;

/** What the command is asked to do. */
export type Asked =
  | { readonly verb: 'help' }
  | { readonly verb: 'version' }
  | {
      readonly verb: 'run';
      readonly file: string;
      readonly untilIdleMs: number | null;
      readonly drainTimeoutMs: number;
    };

/** Reads the command line. Throws an `Error` that says what is wrong with it. */
export function readArguments(args: readonly string[]): Asked {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'until-idle': { type: 'string' },
      'drain-timeout': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  });
  if (values.help) return { verb: 'help' };
  if (values.version) return { verb: 'version' };
  const [verb, file, ...rest] = positionals;
  if (verb === undefined) throw new Error('a command is missing');
  if (verb !== 'run') throw new Error(`there is no command \`${verb}\``);
  if (file === undefined) throw new Error('`run` needs the file of a flow');
  if (rest.length > 0) throw new Error(`\`run\` takes one file, got also \`${rest[0]}\``);
  return {
    verb,
    file,
    untilIdleMs: values['until-idle'] === undefined ? null : milliseconds('--until-idle', values['until-idle']),
    drainTimeoutMs: milliseconds('--drain-timeout', values['drain-timeout'] ?? '60000'),
  };
}

function milliseconds(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value < 2 ** 31) return value;
  throw new Error(`expected \`${option}\` to be a whole number of milliseconds from 1, got \`${text}\``);
}
