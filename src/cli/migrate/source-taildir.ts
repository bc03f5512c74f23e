import { type Code, list, object, quoted } from './code.js';
import { no, to } from './settings.js';
import { connecting, regexCode, type SourceType } from './source-type.js';
import { hasVariable, type Writing } from './writing.js';

/** Follows files by patterns; exactly once where the sink has a ledger. */
export const TAILDIR_SOURCE: SourceType = {
  rules: {
    positionFile: to('`importPositions` of `tailSource`, whose own `positionFile` is beside it'),
    filegroups: to('`paths` of `tailSource`'),
    'filegroups.*': to('`paths` of `tailSource`'),
    'headers.*': to('`groups` of `fileEvent`'),
    byteOffsetHeader: no('see `delivery.origin.offset`'),
    skipToEnd: to('`startAt` of `tailSource`'),
    idleTimeout: no('a file is closed when `maxOpenFiles` are open, and is still followed'),
    writePosInterval: no('a position is kept when the sink has the lines'),
    maxBatchCount: no('all files are read in turn'),
    cachePatternMatching: no('see `scanIntervalMs` of `tailSource`'),
    fileHeader: to('`fileHeader` of `fileEvent`'),
    fileHeaderKey: to('`fileHeader` of `fileEvent`'),
  },
  write({ settings }, writing, resume) {
    const groups = settings.list('filegroups').map((name) => ({
      path: settings.text(`filegroups.${name}`) ?? '',
      line: settings.line(`filegroups.${name}`),
      headers: settings.under(`headers.${name}.`),
    }));
    const position = settings.text('positionFile');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a variable of the agent's file.
    const old = position ?? '${env:HOME}/.flume/taildir_position.json';
    const options = object({
      paths:
        groups.length === 0
          ? list([writing.gap('no files: filegroups is missing')])
          : list(groups.map(({ path, line }) => writing.text(globOf(path, line, writing)))),
      positionFile: writing.text(old.replace(/(\.json)?$/, '.rxflume.json')),
      importPositions: writing.text(old),
      startAt: settings.flag('skipToEnd', false) ? quoted('end') : undefined,
      resumeFrom: resume,
    });
    writing.warn(
      settings.line('positionFile'),
      `The flow reads on where Flume has ended, by ${position ?? '~/.flume/taildir_position.json'} (\`importPositions\`): stop the agent first, with its channel empty. Without that file the flow does not start. See how to switch: docs/tutorial/from-flume.md.`,
    );
    const withHeaders = groups.filter(({ headers }) => headers.names.length > 0);
    const event = object({
      fileHeader: settings.flag('fileHeader', false) ? quoted(settings.text('fileHeaderKey') ?? 'file') : undefined,
      groups:
        withHeaders.length === 0
          ? undefined
          : list(
              withHeaders.map(({ path, line, headers }) =>
                object({
                  path: pathRegex(path, line, writing),
                  headers: object(
                    Object.fromEntries(headers.names.map((name) => [name, writing.text(headers.text(name) as string)])),
                  ),
                }),
              ),
            ),
    });
    const files = writing.call('drivers/local-disk', 'localFiles');
    return {
      source: connecting(writing.call('inputs', 'tailSource', files, options), writing),
      steps: [
        writing.call('operators', 'mapValue', writing.call('flume', 'fileEvent', ...(event === '{}' ? [] : [event]))),
      ],
    };
  },
};

/** The folder of a group is a path, its file name a regular expression. A folder with variables is known when the flow starts. */
function pathRegex(path: string, line: number, writing: Writing): Code {
  const at = path.lastIndexOf('/') + 1;
  const [folder, name] = [path.slice(0, at), path.slice(at)];
  if (!hasVariable(folder)) return regexCode(`^${folder.replace(SPECIAL, '\\$&')}${name}$`, line, writing);
  const regex = regexCode(`${name}$`, line, writing);
  if (typeof regex !== 'string') return regex;
  const escaped = `${writing.text(folder)}.replace(/[.*+?^\${}()|[\\]\\\\]/g, '\\\\$&')`;
  return `new RegExp(\`^\${${escaped}}\${${regex}.source}\`)`;
}

const SPECIAL = /[.*+?^${}()|[\]\\]/g;

/** A group as a pattern of the shell. What has no such form becomes `*`, and is said. */
function globOf(path: string, line: number, writing: Writing): string {
  const at = path.lastIndexOf('/') + 1;
  const name = path.slice(at);
  const glob = name
    .replace(/\\\./g, '\0')
    .replace(/\.[*+]/g, '*')
    .replace(/\[\^?[\w.-]+\][*+]|\\[dws][*+]?/g, '*')
    // A name with a plain dot means that dot.
    .replaceAll('\0', '.');
  if (!/[()|+^$\\{}]/.test(glob)) return path.slice(0, at) + glob;
  writing.warn(
    line,
    `The pattern ${name} has no form as a pattern of the shell: the flow follows all files of ${path.slice(0, at)}. Narrow \`paths\`.`,
  );
  return `${path.slice(0, at)}*`;
}
