import { parseArgs } from 'node:util';
import type { AlertsAsked } from './alerts.js';
import type { GraphForm } from './graph.js';
import { DEFAULT_METRICS_ADDRESS, type MetricsAddress } from './metrics-server.js';
import { PLAN_OPTIONS, type PlanAsked, readPlanArguments } from './plan/plan-arguments.js';
import type { SchemaAsked } from './schema/schema.js';
import { suggestion } from './suggestion.js';

export const HELP = `Usage: rxflume run <file> [--until-idle <ms>] [--drain-timeout <ms>] [--metrics [<host>:<port>]]
                          [--alerts <file>]
       rxflume check <file>
       rxflume graph <file> [--mermaid | --json]
       rxflume plan <file> [--sample topic|<file>] [--rate <n>/s] [--bytes <n>] [--measure-writes] [--json] …
       rxflume ledger <root> [--stream <name>] [--user <name>] [--mode httpfs] [--json]
                             [--skip-to <offset>]
       rxflume schema pull <url> <subject>
       rxflume alerts test <file> [--json]
       rxflume alerts backtest <file> --from <folder or topic> [--json]
       rxflume help <command>

run     run the flow that <file> (TypeScript or JavaScript) exports as default
check   print what the flow guarantees, and why; makes no connection
graph   print the parts of the flow, from its source to its sink; makes no connection
plan    measure the flow on a sample, and print the processes, window, files and memory it needs; commits nothing
ledger  list and verify the ledger under the root of an exactly-once file sink; changes nothing without --skip-to
schema  print the newest schema of a subject of a schema registry as TypeScript
alerts  test the rules that <file> exports, or replay stored values through its surges

Options of run:
  --until-idle <ms>      drain and exit after <ms> without a record
  --drain-timeout <ms>   abandon a drain that takes longer (default 60000)
  --metrics [<host>:<port>]  serve /metrics, /livez and /readyz (default 127.0.0.1:9464)
  --alerts <file>        watch the flow with the rules and receivers that <file> exports

SIGINT or SIGTERM drains: stop reading, make deliveries in flight durable, commit, and print a summary.
A second signal abandons the flow.

<root> is a path, file:///path, webhdfs://host:port/path or swebhdfs://host:port/path. List several NameNodes as
webhdfs://nn1:9870,nn2:9870/path.

Options of graph:
  --mermaid              print a Mermaid flowchart
  --json                 print one JSON object, for programs

Options of plan:
  --sample <what>        topic, topic@<offset> or a file of lines: what the operators and the sink are measured on
  --rate <n>/s           records a second that arrive
  --bytes <n>            bytes of a record (default: those of the sample)
  --partitions <n>       streams of the source together (default: those in the sample of a topic)
  --backlog <n>          records that are not read yet
  --headroom <duration>  until retention deletes the oldest of them, such as 6h
  --points <n:rate,…>    what n processes were measured to do, such as 1:50000,2:96000,4:170000,8:260000
  --records <n>          the most records of the sample (default 10000)
  --within <duration>    the most time that it takes (default 60s)
  --measure-writes       write the sample in a folder of its own on the sink's file system, and remove it
  --scratch <folder>     the begin of that folder's name (default: the sink's root, -plan)
  --json                 print one JSON object, for programs

Options of ledger:
  --stream <name>        only this stream, such as kafka:chat/3
  --user <name>          the HDFS user (default: HADOOP_USER_NAME)
  --mode httpfs          the host is an HttpFS server, not a NameNode
  --json                 print one JSON object, for programs
  --skip-to <offset>     with --stream: record the offsets before this one as lost, so that the flow resumes here

Options of alerts:
  --from <where>         values of the past: a folder as of ledger, or kafka://host:port,host:port/topic
  --json                 print one JSON object, for programs

A delegation token is read only from the environment: RXFLUME_DELEGATION_TOKEN. So is what logs in to a schema registry:
RXFLUME_REGISTRY_TOKEN, or RXFLUME_REGISTRY_USER and RXFLUME_REGISTRY_PASSWORD.

  -h, --help             print this help
  -v, --version          print the version

Exit codes:
  run     0 drained, 1 failed or abandoned
  check   0 printed
  graph   0 printed
  plan    0 planned, 1 the sample could not be read
  ledger  0 verified, 1 not verified or unreadable
  schema  0 printed, 1 not there, or the registry did not answer
  alerts  0 as expected, 1 a test failed or the values cannot be read
  all     2 invalid arguments
`;

/** What `rxflume ledger` is asked to look at. */
export interface LedgerAsked {
  readonly root: string;
  readonly mode: 'webhdfs' | 'httpfs';
  readonly user: string | undefined;
  readonly stream: string | undefined;
  readonly isJson: boolean;
  /** Where the ledger of `stream` is moved on to; undefined where it is only read. */
  readonly skipTo?: number | undefined;
}

/** What the command is asked to do. */
export type Asked =
  | { readonly verb: 'help'; readonly command?: string }
  | { readonly verb: 'version' }
  | {
      readonly verb: 'run';
      readonly file: string;
      readonly untilIdleMs: number | null;
      readonly drainTimeoutMs: number;
      /** Null where metrics are not served. */
      readonly metrics: MetricsAddress | null;
      /** The file of rules and receivers; undefined where the flow is not watched. */
      readonly alerts?: string | undefined;
    }
  | { readonly verb: 'check'; readonly file: string }
  | { readonly verb: 'graph'; readonly file: string; readonly form: GraphForm }
  | ({ readonly verb: 'plan' } & PlanAsked)
  | ({ readonly verb: 'schema' } & SchemaAsked)
  | ({ readonly verb: 'ledger' } & LedgerAsked)
  | ({ readonly verb: 'alerts' } & AlertsAsked);

/** What each command takes: its one argument, and its options. */
const COMMANDS: Readonly<Record<string, { readonly argument: string; readonly options: readonly string[] }>> = {
  run: { argument: 'the file of a flow', options: ['until-idle', 'drain-timeout', 'metrics', 'alerts'] },
  check: { argument: 'the file of a flow', options: [] },
  graph: { argument: 'the file of a flow', options: ['mermaid', 'json'] },
  plan: { argument: 'the file of a flow', options: [...Object.keys(PLAN_OPTIONS), 'json'] },
  alerts: { argument: '`test` or `backtest`, and a file', options: ['from', 'json'] },
  ledger: { argument: 'the root of a file sink', options: ['stream', 'user', 'mode', 'json', 'skip-to'] },
};

const OPTIONS = {
  'until-idle': { type: 'string' },
  'drain-timeout': { type: 'string' },
  metrics: { type: 'string' },
  alerts: { type: 'string' },
  from: { type: 'string' },
  stream: { type: 'string' },
  user: { type: 'string' },
  mode: { type: 'string' },
  json: { type: 'boolean' },
  mermaid: { type: 'boolean' },
  'skip-to': { type: 'string' },
  ...PLAN_OPTIONS,
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

function parsed(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: OPTIONS });
  } catch (error) {
    const [, word] = /^Unknown option '--([^']+)'/.exec((error as Error).message) ?? [];
    if (word === undefined) throw error;
    throw new Error(`unknown option '--${word}'${suggestion(word, Object.keys(OPTIONS), '--')}`);
  }
}

/** Reads the command line. Throws an `Error` that says what is wrong with it. */
export function readArguments(args: readonly string[]): Asked {
  const { values, positionals } = parsed(withMetricsAddress(args));
  if (values.help) return { verb: 'help' };
  if (values.version) return { verb: 'version' };
  const [verb, argument, ...rest] = positionals;
  const verbs = [...Object.keys(COMMANDS), 'schema'];
  if (verb === undefined) throw new Error(`expected a command: ${verbs.join(', ')}`);
  if (verb === 'help') {
    if (argument === undefined) return { verb };
    if (verbs.includes(argument)) return { verb, command: argument };
    throw new Error(
      `unknown command \`${argument}\`${suggestion(argument, verbs) || `; expected ${verbs.join(', ')}`}`,
    );
  }
  if (verb === 'schema') return { verb, ...readSchemaArguments([argument, ...rest], values) };
  const command = Object.hasOwn(COMMANDS, verb) ? COMMANDS[verb] : undefined;
  if (command === undefined)
    throw new Error(`unknown command \`${verb}\`${suggestion(verb, verbs) || `; expected ${verbs.join(', ')}`}`);
  if (argument === undefined) throw new Error(`\`${verb}\` needs ${command.argument}`);
  if (verb === 'alerts') return alertsAsked(argument, rest, values);
  if (rest.length > 0) throw new Error(`\`${verb}\` takes one argument, ${command.argument}; also got \`${rest[0]}\``);
  for (const option of Object.keys(values)) {
    if (!command.options.includes(option)) throw new Error(`\`${verb}\` has no option \`--${option}\``);
  }
  if (verb === 'check') return { verb, file: argument };
  if (verb === 'graph') {
    if (values.mermaid && values.json) throw new Error('`graph` prints either `--mermaid` or `--json`');
    return { verb, file: argument, form: values.mermaid ? 'mermaid' : values.json ? 'json' : 'text' };
  }
  if (verb === 'plan') return { verb, ...readPlanArguments(argument, values) };
  if (verb === 'ledger') {
    const { stream, user, mode, json = false } = values;
    for (const [option, text] of Object.entries({ stream, user })) {
      if (text === '') throw new Error(`expected \`--${option}\` to be a name, got an empty string`);
    }
    const skipTo = values['skip-to'] === undefined ? undefined : offset('--skip-to', values['skip-to']);
    if (skipTo !== undefined && stream === undefined) throw new Error('`--skip-to` needs `--stream`');
    return { verb, root: argument, mode: modeOf(mode), user, stream, isJson: json, skipTo };
  }
  return {
    verb: 'run',
    file: argument,
    untilIdleMs: values['until-idle'] === undefined ? null : milliseconds('--until-idle', values['until-idle']),
    drainTimeoutMs: milliseconds('--drain-timeout', values['drain-timeout'] ?? '60000'),
    metrics: values.metrics === undefined ? null : addressOf(values.metrics),
    alerts: values.alerts,
  };
}

function readSchemaArguments(given: readonly (string | undefined)[], options: object): SchemaAsked {
  const [action, url, subject, ...rest] = given;
  if (action !== 'pull') throw new Error(`\`schema\` needs \`pull\`, the URL of a registry and a subject`);
  if (url === undefined || subject === undefined)
    throw new Error('`schema pull` needs the URL of a registry and a subject');
  if (rest.length > 0) throw new Error(`\`schema pull\` takes two arguments; also got \`${rest[0]}\``);
  for (const option of Object.keys(options)) throw new Error(`\`schema\` has no option \`--${option}\``);
  return { url, subject };
}

function alertsAsked(
  action: string,
  [file, ...rest]: readonly string[],
  values: Readonly<Record<string, string | boolean | undefined>>,
): Asked {
  for (const option of Object.keys(values)) {
    if (option !== 'json' && (option !== 'from' || action !== 'backtest')) {
      throw new Error(`\`alerts ${action}\` has no option \`--${option}\``);
    }
  }
  if (action !== 'test' && action !== 'backtest')
    throw new Error(`expected \`alerts test\` or \`alerts backtest\`, got \`${action}\``);
  if (file === undefined) throw new Error(`\`alerts ${action}\` needs a file that exports \`rules\``);
  if (rest.length > 0) throw new Error(`\`alerts ${action}\` takes one file; also got \`${rest[0]}\``);
  const isJson = values.json === true;
  if (action === 'test') return { verb: 'alerts', action, file, isJson };
  const { from } = values;
  if (typeof from !== 'string' || from === '') throw new Error('`alerts backtest` needs `--from`, a folder or a topic');
  return { verb: 'alerts', action, file, from, isJson };
}

const ADDRESS = /^(?:(\[[0-9a-fA-F:.]+\]|[^:/\s]+):|:)?(\d{1,5})$/;

/** `--metrics` may be given without an address; then what follows it is something else. */
function withMetricsAddress(args: readonly string[]): string[] {
  const at = args.indexOf('--metrics');
  if (at < 0 || ADDRESS.test(args[at + 1] ?? '')) return [...args];
  const { host, port } = DEFAULT_METRICS_ADDRESS;
  return [...args.slice(0, at), `--metrics=${host}:${port}`, ...args.slice(at + 1)];
}

function addressOf(text: string): MetricsAddress {
  const [, host = DEFAULT_METRICS_ADDRESS.host, digits] = ADDRESS.exec(text) ?? [];
  const port = Number(digits);
  if (digits !== undefined && port < 65_536) return { host: host.replace(/^\[|\]$/g, ''), port };
  throw new Error(`expected \`--metrics\` to be an address such as 127.0.0.1:9464, got \`${text}\``);
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

function offset(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && Number.isSafeInteger(value)) return value;
  throw new Error(`expected \`${option}\` to be an offset from 1, got \`${text}\``);
}
