import { type Code, list, numeral, object, quoted } from './code.js';
import { no, to } from './settings.js';
import { connecting, type SourceType } from './source-type.js';

/** The output of a command. Flume reads it to its end and then nothing more, unless it restarts; the flow says so, or fails. */
export const EXEC_SOURCE: SourceType = {
  rules: {
    command: to('`command` of `execSource`: Flume too divides it at blanks, and knows no quotes'),
    shell: to('the beginning of `command` of `execSource`'),
    restart: to('`restart`, `endCodes` and `failCodes` of `execSource`'),
    restartThrottle: to('`restart.firstDelayMs` and `restart.maxDelayMs` of `execSource`'),
    logStdErr: to('`errorOutput` of `execSource`'),
    charset: no('the bytes are passed on as they are'),
  },
  write({ name, settings }, writing) {
    const command = settings.text('command');
    const line = settings.line('command');
    const restarts = settings.flag('restart', false);
    const throttle = numeral(settings.number('restartThrottle', 10_000));
    writing.warn(
      settings.line('type'),
      `A pipe has no ack, in Flume and in the flow of ${name}: what is read and not stored is lost at a crash. What is lost when the flow ends is counted in rxflume_source_lost_total.`,
    );
    if (/\btail\b.*\s-[a-zA-Z0-9]*[fF]/.test(command ?? ''))
      writing.warn(
        line,
        `${command} follows a file, and begins with its last lines again after each restart. \`tailSource\` follows it without loss or doubles: docs/guides/inputs.md#log-files.`,
      );
    if (!restarts)
      writing.warn(
        settings.line(settings.text('restart') === undefined ? 'type' : 'restart'),
        `When the command of ${name} ends, Flume reads nothing more, and runs on without a word. The flow completes after exit code 0, and fails after any other: let \`restart\` start it again.`,
      );
    const options = object({
      name: quoted(name),
      command: command === undefined ? writing.gap(`the source ${name} has no command`) : words(),
      ...(restarts
        ? {
            endCodes: list([]),
            failCodes: list([]),
            restart: object({ firstDelayMs: throttle, maxDelayMs: throttle }),
          }
        : { restart: object({ maxAttempts: '0' }) }),
      errorOutput: settings.text('logStdErr')?.toLowerCase() === 'false' ? quoted('ignore') : undefined,
      whenNacked: quoted('drop'),
    });
    const source = writing.call('inputs', 'execSource', writing.call('drivers/node', 'commandRunner'), options);
    return {
      source: connecting(source, writing),
      steps: [writing.call('operators', 'mapValue', writing.call('flume', 'lineEvent'))],
    };

    function words(): Code {
      const shell = settings.text('shell');
      const parts = shell === undefined ? blanks(command ?? '') : [...blanks(shell), command ?? ''];
      return list(parts.map((part) => writing.text(part)));
    }
  },
};

function blanks(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}
