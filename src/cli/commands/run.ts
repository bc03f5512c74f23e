import { command, oneArgument, textOf } from '../command.js';
import { CONSOLE_OPTIONS, CONSOLE_OPTIONS_HELP, readConsoleArguments } from '../console/console-arguments.js';
import { ADDRESS, addressOf } from '../http-server.js';
import { DEFAULT_METRICS_ADDRESS } from '../metrics-server.js';
import type { RunAsked } from '../run-flow.js';

export const run = command<RunAsked>({
  name: 'run',
  usage: [
    'run <file> [--until-idle <ms>] [--drain-timeout <ms>] [--metrics [<host>:<port>]]',
    '           [--alerts <file>] [--console [<host>:<port>]] …',
  ],
  summary: 'run the flow that <file> (TypeScript or JavaScript) exports as default',
  options: {
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
    '--until-idle <ms>      drain and exit after <ms> without a record',
    '--drain-timeout <ms>   abandon a drain that takes longer (default 60000)',
    '--metrics [<host>:<port>]  serve /metrics, /livez and /readyz (default 127.0.0.1:9464)',
    '--alerts <file>        watch the flow with the rules and receivers that <file> exports',
    ...CONSOLE_OPTIONS_HELP,
  ],
  notes: `SIGINT or SIGTERM drains: stop reading, make deliveries in flight durable, commit, and print a summary.
A second signal abandons the flow.`,
  exitCodes: '0 drained, 1 failed or abandoned',
  example: 'rxflume run flow.ts --metrics 127.0.0.1:9464',
  read(given, options) {
    const [idle, metrics] = [textOf(options, 'until-idle'), textOf(options, 'metrics')];
    return {
      file: oneArgument('run', 'the file of a flow', given),
      untilIdleMs: idle === undefined ? null : milliseconds('--until-idle', idle),
      drainTimeoutMs: milliseconds('--drain-timeout', textOf(options, 'drain-timeout') ?? '60000'),
      metrics: metrics === undefined ? null : addressOf('--metrics', metrics, DEFAULT_METRICS_ADDRESS),
      alerts: textOf(options, 'alerts'),
      console: readConsoleArguments(options),
    };
  },
  async run(asked, context) {
    const { runFlow } = await import('../run-flow.js');
    return runFlow(asked, context);
  },
});

function milliseconds(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value < 2 ** 31) return value;
  throw new Error(`expected \`${option}\` to be a whole number of milliseconds from 1, got \`${text}\``);
}
