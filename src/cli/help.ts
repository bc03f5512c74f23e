import type { AnyCommand } from './command.js';

const GENERAL = `A delegation token is read only from the environment: RXFLUME_DELEGATION_TOKEN. So is what logs in to a schema registry:
RXFLUME_REGISTRY_TOKEN, or RXFLUME_REGISTRY_USER and RXFLUME_REGISTRY_PASSWORD.

  -h, --help             print this help
  -v, --version          print the version
`;

const WRONG_USE = '2 invalid arguments';

/** The help of all commands. */
export function helpOfAll(commands: readonly AnyCommand[]): string {
  const usage = [...commands.flatMap((one) => usageOf(one)), 'rxflume help <command>'];
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  const line = (name: string, text: string) => `${name.padEnd(width)}${text}`;
  return [
    `Usage: ${usage.join('\n       ')}\n`,
    `${commands.map(({ name, summary }) => line(name, summary)).join('\n')}\n`,
    ...commands.flatMap((one) => sections(one, `Options of ${one.name}:`)),
    GENERAL,
    'Exit codes:',
    ...commands.map(({ name, exitCodes }) => `  ${line(name, exitCodes)}`),
    `  ${line('all', WRONG_USE)}\n`,
  ].join('\n');
}

/** The help of one command: its usage, options, exit codes, and an example. */
export function helpOf(one: AnyCommand): string {
  const { summary, exitCodes, example } = one;
  return [
    `Usage: ${usageOf(one).join('\n       ')}\n`,
    `${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}.\n`,
    ...sections(one, 'Options:'),
    `Exit codes:\n  ${exitCodes}\n  ${WRONG_USE}\n`,
    `Example: ${example}\n`,
  ].join('\n');
}

function usageOf({ usage }: AnyCommand): string[] {
  return usage.map((line) => (line.startsWith(' ') ? `        ${line}` : `rxflume ${line}`));
}

function sections({ optionsHelp, notes }: AnyCommand, title: string): string[] {
  const options = optionsHelp.length === 0 ? [] : [`${title}\n${optionsHelp.map((line) => `  ${line}\n`).join('')}`];
  return notes === undefined ? options : [...options, `${notes}\n`];
}
