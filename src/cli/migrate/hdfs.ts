import type { Component } from './agent.js';
import { type Code, call, list, numeral, object, prefixed, quoted } from './code.js';
import { instead, lacks, no, type Rules, type Settings, to } from './settings.js';
import type { Writing } from './writing.js';

export const HDFS_RULES: Rules = {
  'hdfs.path': to('`root` and `path` of `fileSink`'),
  'hdfs.filePrefix': instead('files are named by stream and offsets, so that a crash leaves no doubles'),
  'hdfs.fileSuffix': no('the format gives the ending'),
  'hdfs.inUsePrefix': no('unfinished files are below `_rxflume`'),
  'hdfs.inUseSuffix': no('unfinished files are below `_rxflume`'),
  'hdfs.emptyInUseSuffix': no('unfinished files are below `_rxflume`'),
  'hdfs.rollInterval': to('`roll.intervalMs` of `fileSink`'),
  'hdfs.rollSize': to('`roll.bytes`: bytes as stored, after compression; Flume counts them before'),
  'hdfs.rollCount': to('`roll.count`: of all buckets of a stream together'),
  'hdfs.idleTimeout': to('`roll.idleMs`'),
  'hdfs.batchSize': no('there is no transaction: a file is complete when it is renamed'),
  'hdfs.codeC': to('`compression` of the format'),
  'hdfs.fileType': to('`format` of `fileSink`'),
  'hdfs.writeFormat': to('`value` of `sequenceFile`'),
  'hdfs.maxOpenFiles': to('`maxOpenFiles` of `fileSink`, at most 10,000'),
  'hdfs.minBlockReplicas': no('a missing replica rolls no file'),
  'hdfs.threadsPoolSize': no('there is no pool: requests are asynchronous'),
  'hdfs.rollTimerPoolSize': no('there is no pool'),
  'hdfs.kerberosPrincipal': lacks('give `kerberos: { principal, keytab }` to `webhdfs`'),
  'hdfs.kerberosKeytab': no('belongs to Kerberos'),
  'hdfs.proxyUser': lacks('`webhdfs` has no proxy user: let `user`, or the token, be of that user'),
  'hdfs.round': to('`round` of `flumePath`'),
  'hdfs.roundValue': to('`round` of `flumePath`'),
  'hdfs.roundUnit': to('`round` of `flumePath`'),
  'hdfs.timeZone': to('`timeZone` of `flumePath`'),
  'hdfs.useLocalTimeStamp': to("`time: 'arrival'` of `flumePath`"),
  'hdfs.closeTries': no('closing and renaming are part of the commit'),
  'hdfs.retryInterval': no('see `retry` of `webhdfs`'),
  'hdfs.callTimeout': no('see `requestTimeoutMs` of `webhdfs`'),
  'hdfs.useRawLocalFileSystem': no('local files are written by `localDisk`'),
  'hdfs.failIfCannotOpen': no('a sink that cannot write fails the flow, with an error'),
  serializer: to('`format` of `fileSink`'),
  'serializer.appendNewline': to('`format` of `fileSink`'),
  'serializer.compressionCodec': to('`codec` of `flumeAvroFile`'),
  'serializer.syncIntervalBytes': no('see `chunk` of `fileSink`'),
};

/** The NameNode's port for the web since Hadoop 3. */
const WEB_PORT = 9_870;
const DEFAULT_ROLL =
  'Flume would roll a file after 30 s, 1 KB or 10 events, whichever comes first. The flow rolls at 128 MiB or 5 minutes: see `roll`';

/** An HDFS sink as `fileSink(…)`, on HDFS or the local disk, as its path says. */
export function hdfsSink({ settings, name }: Component, writing: Writing): Code {
  const hdfs = settings.under('hdfs.');
  const path = hdfs.text('path');
  if (path === undefined) return writing.gap(`the sink ${name} has no hdfs.path`);
  const { scheme, host, port, rest } = partsOf(path);
  const { root, pattern } = splitPath(isAbsolute(rest) ? rest : `/user/flume/${rest}`);
  const line = hdfs.line('path');
  if (hdfs.text('filePrefix')?.includes('%') === true)
    writing.warn(
      hdfs.line('filePrefix'),
      'hdfs.filePrefix has escapes. Files are named by stream and offsets: put the escapes into `path`.',
    );
  const roll = rollCode(hdfs, writing, name);
  const options = object({
    root: writing.text(root),
    path: pattern === '' ? undefined : pathCode(pattern, hdfs, writing, line),
    format: formatCode(settings, hdfs, writing),
    roll,
    maxOpenFiles:
      hdfs.text('maxOpenFiles') === undefined
        ? undefined
        : numeral(Math.min(10_000, Math.max(1, hdfs.number('maxOpenFiles', 5_000)))),
  });
  const type = `<${writing.use('', 'type FlumeEvent')}>`;
  return call(`${writing.use('', 'fileSink')}${type}`, storeCode({ scheme, host, port }, line, writing), options);
}

interface PathParts {
  readonly scheme: string;
  readonly host: string;
  readonly port: string | undefined;
  readonly rest: string;
}

/** Of `hdfs://nn1:8020/lake`. Each part may have variables: one behind a port begins the path. */
function partsOf(path: string): PathParts {
  const authority = /^(\w+):\/\/((?:\$\{[^}]*\}|[^/:$])*)(?::(\d+|\$\{[^}]*\}))?(.*)$/s;
  const [, scheme = '', host = '', port, rest = path] = authority.exec(path) ?? [];
  return { scheme, host, port, rest };
}

/** A path that begins with a variable is taken to be whole. */
function isAbsolute(path: string): boolean {
  return path.startsWith('/') || path.startsWith('${');
}

function storeCode({ scheme, host, port }: Omit<PathParts, 'rest'>, line: number, writing: Writing): Code {
  if (scheme === 'file') return writing.call('drivers/local-disk', 'localDisk');
  const nameNode =
    host === ''
      ? writing.gap(
          `line ${line}: name the NameNodes, such as http://nn1:${WEB_PORT}: the path has none (fs.defaultFS)`,
        )
      : undefined;
  if (host !== '') {
    writing.warn(
      line,
      port === undefined
        ? `${host} may be the name of a nameservice. The flow speaks WebHDFS: list the NameNodes as \`nameNodes\`, such as http://nn1:${WEB_PORT} and http://nn2:${WEB_PORT}.`
        : `The flow speaks WebHDFS, at port ${WEB_PORT} of the NameNode (50070 before Hadoop 3), not ${port}. Check \`nameNodes\`.`,
    );
  }
  if (scheme !== '' && scheme !== 'hdfs') writing.lack([`line ${line}: a path of ${scheme}:// has no driver here`]);
  return writing.call(
    'drivers/webhdfs',
    'webhdfs',
    object({ nameNodes: list([nameNode ?? writing.text(`http://${host}:${WEB_PORT}`)]), user: quoted('flume') }),
  );
}

/** The folder before the first escape is the root; what is behind it is the pattern. */
function splitPath(path: string): { root: string; pattern: string } {
  const segments = path.split('/').filter(Boolean);
  const first = segments.findIndex((segment) => segment.includes('%'));
  const at = first < 0 ? segments.length : first;
  const folder = segments.slice(0, at).join('/');
  return { root: folder.startsWith('${') ? folder : `/${folder}`, pattern: segments.slice(at).join('/') };
}

/** Escapes that need the time of an event. */
const TIME = /%[a-zA-Z]/;

function pathCode(pattern: string, hdfs: Settings, writing: Writing, line: number): Code {
  const usesTime = TIME.test(pattern.replace(/%\{[^}]*\}|%\[\w+\]/g, ''));
  const zone = hdfs.text('timeZone') ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (usesTime && hdfs.text('timeZone') === undefined)
    writing.warn(
      line,
      `hdfs.timeZone is not set: Flume takes the clock of its machine. The flow has the zone of this one, ${zone}: check \`timeZone\`.`,
    );
  if (pattern.includes('%c')) writing.lack([`line ${line}: %c has a \`:\`, which HDFS takes in no name`]);
  const isRounded = hdfs.flag('round', false);
  const unit = hdfs.text('roundUnit') ?? 'second';
  const options = object({
    timeZone: usesTime && zone !== 'UTC' ? quoted(zone) : undefined,
    round: isRounded ? object({ value: String(hdfs.number('roundValue', 1)), unit: quoted(unit) }) : undefined,
    time: hdfs.flag('useLocalTimeStamp', false) ? quoted('arrival') : undefined,
  });
  return writing.call('flume', 'flumePath', writing.text(pattern), ...(options === '{}' ? [] : [options]));
}

const CODECS: Readonly<Record<string, string>> = {
  gzip: 'gzip',
  gzipcodec: 'gzip',
  deflate: 'deflate',
  deflatecodec: 'deflate',
  defaultcodec: 'deflate',
  snappy: 'snappy',
  snappycodec: 'snappy',
  zstd: 'zstd',
  zstandardcodec: 'zstd',
};

function formatCode(settings: Settings, hdfs: Settings, writing: Writing): Code {
  const fileType = (hdfs.text('fileType') ?? 'SequenceFile').toLowerCase();
  const codec = codecOf(hdfs, writing);
  if (fileType === 'sequencefile') return sequenceCode(hdfs, codec, writing);
  const compression = fileType === 'compressedstream' && codec !== undefined ? { compression: codec } : {};
  return serializerCode(settings, writing, compression);
}

/** What a serializer of Flume writes, as a format. */
export function serializerCode(
  settings: Settings,
  writing: Writing,
  compression: { compression?: Code } = {},
  prefix = '',
): Code {
  const serializer = (settings.text(`${prefix}serializer`) ?? 'TEXT').toLowerCase();
  const line = settings.line(`${prefix}serializer`);
  const options = (more: Readonly<Record<string, Code | undefined>>) => {
    const all = object({ ...more, ...compression });
    return all === '{}' ? [] : [all];
  };
  if (!settings.flag(`${prefix}serializer.appendNewline`, true))
    writing.lack([
      `line ${settings.line(`${prefix}serializer.appendNewline`)}: \`flumeText\` ends each event with a newline`,
    ]);
  if (serializer === 'text') return writing.call('', 'flumeText', ...options({}));
  if (serializer === 'header_and_text')
    return writing.call('', 'flumeText', ...options({ write: quoted('headers-and-body') }));
  if (serializer === 'avro_event') {
    const codec = settings.text(`${prefix}serializer.compressionCodec`);
    if (codec === 'snappy') writing.warn(line, 'flumeAvroFile has no snappy: the flow deflates.');
    const given = codec === undefined || codec === 'null' ? [] : [object({ codec: quoted('deflate') })];
    return writing.call('', 'flumeAvroFile', ...given);
  }
  return writing.gap(`line ${line}: the serializer ${settings.text(`${prefix}serializer`)} has no counterpart here`);
}

function codecOf(hdfs: Settings, writing: Writing): Code | undefined {
  const given = hdfs.text('codeC');
  if (given === undefined) return undefined;
  const name = given.slice(given.lastIndexOf('.') + 1).toLowerCase();
  const codec = Object.hasOwn(CODECS, name) ? CODECS[name] : undefined;
  return codec === undefined
    ? writing.gap(`line ${hdfs.line('codeC')}: no codec ${given} here: choose gzip, deflate, snappy or zstd`)
    : quoted(codec);
}

function sequenceCode(hdfs: Settings, codec: Code | undefined, writing: Writing): Code {
  const isText = (hdfs.text('writeFormat') ?? 'Writable').toLowerCase() === 'text';
  const key = object({
    writable: quoted('LongWritable'),
    of: writing.use('flume', 'eventTimeMs'),
  });
  const value = isText
    ? object({ writable: quoted('Text'), of: '({ body }) => Buffer.from(body).toString()' })
    : object({ writable: quoted('BytesWritable'), of: '({ body }) => body' });
  const type = `<${writing.use('', 'type FlumeEvent')}>`;
  const options = { key, value, ...(codec !== undefined && { compression: quoted('block'), codec }) };
  return prefixed(`${writing.use('formats', 'sequenceFile')}${type}`, {
    open: '(',
    items: [object(options)],
    close: ')',
  });
}

/** A roll of 0 is never; one that is not set is rxflume's own, not Flume's. */
function rollCode(hdfs: Settings, writing: Writing, name: string): Code | undefined {
  const [interval, size, count, idle] = ['rollInterval', 'rollSize', 'rollCount', 'idleTimeout'].map((key) =>
    hdfs.text(key)?.trim(),
  );
  const missing = Object.entries({ rollInterval: interval, rollSize: size, rollCount: count })
    .filter(([, value]) => value === undefined)
    .map(([key]) => `hdfs.${key}`);
  if (missing.length > 0) writing.warn(0, `The sink ${name} does not set ${missing.join(', ')}. ${DEFAULT_ROLL}.`);
  const never = numeral(2_147_483_647);
  const ms = (seconds: string | undefined, key: string) =>
    seconds === undefined ? undefined : seconds === '0' ? never : numeral(hdfs.number(key, 0) * 1_000);
  const roll = object({
    bytes:
      size === undefined
        ? undefined
        : size === '0'
          ? 'Number.MAX_SAFE_INTEGER'
          : numeral(hdfs.number('rollSize', 1_024)),
    count: count === undefined || count === '0' ? undefined : numeral(hdfs.number('rollCount', 10)),
    intervalMs: ms(interval, 'rollInterval'),
    idleMs: ms(idle, 'idleTimeout'),
  });
  return roll === '{}' ? undefined : roll;
}
