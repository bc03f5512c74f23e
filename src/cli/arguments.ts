import { parseArgs } from 'node:util';

export const HELP = `Usage: rxflume run <file> [--until-idle <ms>] [--drain-timeout <ms>]
       rxflume check <file>
       rxflume ledger <root> [--stream <name>] [--user <name>] [--mode httpfs] [--json]

run     runs the flow that <file> (TypeScript or JavaScript) exports as default
check   says what that flow guarantees, and why; connects to nothing
ledger  lists and verifies the ledger under the root of an exactly-once file sink; changes nothing

Options of run:
  --until-idle <ms>      drain and end when nothing came for so long
  --drain-timeout <ms>   the longest a drain may take (default 60000)

SIGINT or SIGTERM drains: takes no more, makes durable what is out, commits, prints a summary. A second one abandons.

<root> of ledger is a path, file:///path, webhdfs://host:port/path or swebhdfs://host:port/path; several NameNodes as
webhdfs://nn1:9870,nn2:9870/path. Options of ledger:
  --stream <name>        this stream only, such as kafka:chat/3
  --user <name>          who to be for HDFS (default HADOOP_USER_NAME)
  --mode httpfs          the host is an HttpFS server, not a NameNode
  --json                 one JSON object, for programs
A delegation token is taken from the environment only: RXFLUME_DELEGATION_TOKEN.

  -h, --help             print this
  -v, --version          print the version

Exit codes of run: 0 drained, 1 failed or abandoned. Of check: 0. Of ledger: 0 verified, 1 a problem, or it could not be
read. Of all: 2 wrong use.
`;

/** What `rxflume ledger` is asked to look at. */
export interface LedgerAsked {
  readonly root: string;
  readonly mode: 'webhdfs' | 'httpfs';
  readonly user: string | undefined;
  readonly stream: string | undefined;
  readonly isJson: boolean;
}

/** What the command is asked to do. */
export type Asked =
  | { readonly verb: 'help' }
  | { readonly verb: 'version' }
  | {
      readonly verb: 'run';
      readonly file: string;
      readonly untilIdleMs: number | null;
      readonly drainTimeoutMs: number;
    }
  | { readonly verb: 'check'; readonly file: string }
  | ({ readonly verb: 'ledger' } & LedgerAsked);

/** What each command takes: its one argument, and its options. */
const COMMANDS: Readonly<Record<string, { readonly argument: string; readonly options: readonly string[] }>> = {
  run: { argument: 'the file of a flow', options: ['until-idle', 'drain-timeout'] },
  check: { argument: 'the file of a flow', options: [] },
  ledger: { argument: 'the root of a file sink', options: ['stream', 'user', 'mode', 'json'] },
};

/** Reads the command line. Throws an `Error` that says what is wrong with it. */
export function readArguments(args: readonly string[]): Asked {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'until-idle': { type: 'string' },
      'drain-timeout': { type: 'string' },
      stream: { type: 'string' },
      user: { type: 'string' },
      mode: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  });
  if (values.help) return { verb: 'help' };
  if (values.version) return { verb: 'version' };
  const [verb, argument, ...rest] = positionals;
  if (verb === undefined) throw new Error('a command is missing');
  const command = Object.hasOwn(COMMANDS, verb) ? COMMANDS[verb] : undefined;
  if (command === undefined) throw new Error(`there is no command \`${verb}\``);
  if (argument === undefined) throw new Error(`\`${verb}\` needs ${command.argument}`);
  if (rest.length > 0) throw new Error(`\`${verb}\` takes one argument, ${command.argument}; got also \`${rest[0]}\``);
  for (const option of Object.keys(values)) {
    if (!command.options.includes(option)) throw new Error(`\`--${option}\` is no option of \`${verb}\``);
  }
  if (verb === 'check') return { verb, file: argument };
  if (verb === 'ledger') {
    const { stream, user, mode, json = false } = values;
    for (const [option, text] of Object.entries({ stream, user })) {
      if (text === '') throw new Error(`expected \`--${option}\` to be a name, got an empty text`);
    }
    return { verb, root: argument, mode: modeOf(mode), user, stream, isJson: json };
  }
  return {
    verb: 'run',
    file: argument,
    untilIdleMs: values['until-idle'] === undefined ? null : milliseconds('--until-idle', values['until-idle']),
    drainTimeoutMs: milliseconds('--drain-timeout', values['drain-timeout'] ?? '60000'),
  };
}

function modeOf(text = 'webhdfs'): 'webhdfs' | 'httpfs' {
  if (text === 'webhdfs' || text === 'httpfs') return text;
  throw new Error(`expected \`--mode\` to be webhdfs or httpfs, got \`${text}\``);
}

function milliseconds(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value < 2 ** 31) return value;
  throw new Error(`expected \`${option}\` to be a whole number of milliseconds from 1, got \`${text}\``);
}
