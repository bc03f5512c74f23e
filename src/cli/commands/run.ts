import { command, nameOf, type OptionValues, oneArgument, textOf } from '../command.js';
import { CONSOLE_OPTIONS, CONSOLE_OPTIONS_HELP, readConsoleArguments } from '../console/console-arguments.js';
import { ADDRESS, addressOf } from '../http-server.js';
import { DEFAULT_METRICS_ADDRESS } from '../metrics-server.js';
import type { RunAsked } from '../run-flow.js';
import type { SuperviseAsked } from '../supervise/supervise.js';

export const run = command<RunAsked | SuperviseAsked>({
  name: 'run',
  usage: [
    'run <file>… [--flow <name>] [--processes <n>] [--watch] [--max-memory-mib <n>] [--threads <n>]',
    '           [--until-idle <ms>] [--drain-timeout <ms>] [--metrics [<host>:<port>]] [--alerts <file>]',
    '           [--console [<host>:<port>]] …',
  ],
  summary:
    'run the flow that <file> (TypeScript or JavaScript) exports as default, or flows of several files in processes',
  options: {
    flow: { type: 'string' },
    processes: { type: 'string' },
    watch: { type: 'boolean' },
    'max-memory-mib': { type: 'string' },
    threads: { type: 'string' },
    'until-idle': { type: 'string' },
    'drain-timeout': { type: 'string' },
    metrics: {
      type: 'string',
      bare: { value: `${DEFAULT_METRICS_ADDRESS.host}:${DEFAULT_METRICS_ADDRESS.port}`, values: ADDRESS },
    },
    alerts: { type: 'string' },
    ...CONSOLE_OPTIONS,
  },
  optionsHelp: [
    '--flow <name>          the flow of that name that <file> exports',
    '--processes <n>        run each flow of the files in <n> processes, and start again one that fails',
    '--watch                load the files again when they change: check, drain the old, start the new',
    '--max-memory-mib <n>   drain and start again a process with more memory',
    '--threads <n>          the threads of a process for compression and files (default 4, of libuv)',
    '--until-idle <ms>      drain and exit after <ms> without a record',
    '--drain-timeout <ms>   abandon a drain that takes longer (default 60000)',
    '--metrics [<host>:<port>]  serve /metrics, /livez and /readyz (default 127.0.0.1:9464)',
    '--alerts <file>        watch the flow with the rules and receivers that <file> exports',
    ...CONSOLE_OPTIONS_HELP,
  ],
  notes: `SIGINT or SIGTERM drains: stop reading, make deliveries in flight durable, commit, and print a summary.
A second signal abandons the flow. With several files, --processes or --watch, SIGHUP loads the files again: where
they are right, one process after the other drains and starts anew; where they are not, all goes on as it was.`,
  exitCodes: '0 drained, 1 failed or abandoned',
  example: 'rxflume run flow.ts --metrics 127.0.0.1:9464',
  read(given, options) {
    const [idle, metrics] = [textOf(options, 'until-idle'), textOf(options, 'metrics')];
    const common = {
      untilIdleMs: idle === undefined ? null : whole('--until-idle', idle, 'milliseconds'),
      drainTimeoutMs: whole('--drain-timeout', textOf(options, 'drain-timeout') ?? '60000', 'milliseconds'),
      metrics: metrics === undefined ? null : addressOf('--metrics', metrics, DEFAULT_METRICS_ADDRESS),
      alerts: textOf(options, 'alerts'),
      console: readConsoleArguments(options),
    };
    const flow = nameOf(options, 'flow');
    const supervised = SUPERVISED_BY.filter((name) => options[name] !== undefined);
    if (given.length < 2 && supervised.length === 0) {
      return { ...common, file: oneArgument('run', 'the file of a flow', given), flow };
    }
    if (given.length === 0) throw new Error('`run` needs the file of a flow');
    if (flow !== undefined) throw new Error('`--flow` is for one file, run without processes');
    return {
      ...common,
      files: given,
      processes: count(options, 'processes', MAX_PROCESSES) ?? 1,
      isWatched: options.watch === true,
      maxMemoryMib: count(options, 'max-memory-mib', 2 ** 20),
      threads: count(options, 'threads', 1_024),
    };
  },
  async run(asked, context) {
    if ('files' in asked) {
      const { supervise } = await import('../supervise/supervise.js');
      return supervise(asked, context);
    }
    const { runFlow } = await import('../run-flow.js');
    return runFlow(asked, context);
  },
});

/** Options that make a process that keeps others running. */
const SUPERVISED_BY = ['processes', 'watch', 'max-memory-mib', 'threads'];
/** More than any machine has cores for. */
const MAX_PROCESSES = 256;

function count(options: OptionValues, name: string, most: number): number | undefined {
  const text = textOf(options, name);
  return text === undefined ? undefined : whole(`--${name}`, text, '', most);
}

function whole(option: string, text: string, unit: string, most = 2 ** 31 - 1): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
  const what = unit === '' ? `a whole number from 1 to ${most}` : `a whole number of ${unit} from 1`;
  throw new Error(`expected \`${option}\` to be ${what}, got \`${text}\``);
}
