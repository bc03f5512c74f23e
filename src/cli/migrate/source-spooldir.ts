import { object, quoted } from './code.js';
import { lacks, no, type Settings, to } from './settings.js';
import { connecting, regexCode, type SourceType } from './source-type.js';

/** Whole files of a folder, exactly once where the sink has a ledger. */
export const SPOOLDIR_SOURCE: SourceType = {
  rules: {
    spoolDir: to('`folder` of `spoolSource`'),
    fileSuffix: to('`suffix` of `spoolSource`'),
    deletePolicy: to('`whenDone` of `spoolSource`'),
    fileHeader: to('`fileHeader` of `spoolEvent`'),
    fileHeaderKey: to('`fileHeader` of `spoolEvent`'),
    basenameHeader: to('`basenameHeader` of `spoolEvent`'),
    basenameHeaderKey: to('`basenameHeader` of `spoolEvent`'),
    includePattern: to('`include` of `spoolSource`'),
    ignorePattern: to('`include` of `spoolSource`'),
    trackerDir: no('the ledger of the sink knows which lines are stored'),
    trackingPolicy: no('the ledger of the sink knows which lines are stored'),
    consumeOrder: to('`order` of `spoolSource`'),
    pollDelay: to('`pollIntervalMs` of `spoolSource`'),
    recursiveDirectorySearch: to('`isRecursive` of `spoolSource`'),
    maxBackoff: no('the source waits by backpressure'),
    inputCharset: to('lines are bytes; decode them where they are used'),
    decodeErrorPolicy: no('lines are bytes: nothing is decoded'),
    deserializer: to('`records` of `spoolSource`'),
    'deserializer.maxLineLength': to('`maxBytes` of `lineRecords`: a longer line is several records, as in Flume'),
    'deserializer.outputCharset': no('lines are bytes'),
    'deserializer.*': no('belongs to the deserializer'),
    bufferMaxLineLength: no('Flume ignores it, too'),
  },
  write({ name, settings }, writing, resume) {
    const folder = settings.text('spoolDir');
    const include = includedBy(settings);
    const suffix = settings.text('fileSuffix');
    const order = { oldest: undefined, youngest: quoted('newest'), random: undefined }[
      settings.text('consumeOrder') ?? 'oldest'
    ];
    const deserializer = (settings.text('deserializer') ?? 'LINE').toUpperCase();
    const isBlob = deserializer.includes('BLOBDESERIALIZER');
    if (deserializer !== 'LINE' && !isBlob) {
      const text = lackOf(deserializer, settings);
      settings.say('deserializer', lacks(text));
      writing.lack([`line ${settings.line('deserializer')}: ${text}`]);
    }
    const records = isBlob
      ? writing.call('inputs', 'wholeFile')
      : writing.call(
          'inputs',
          'lineRecords',
          object({ maxBytes: String(settings.number('deserializer.maxLineLength', 2_048)), tooLong: quoted('cut') }),
        );
    const options = object({
      name: quoted(name),
      folder: folder === undefined ? writing.gap(`the source ${name} has no spoolDir`) : writing.text(folder),
      records,
      include: include === undefined ? undefined : regexCode(include.java, include.line, writing),
      isRecursive: settings.flag('recursiveDirectorySearch', false) ? 'true' : undefined,
      whenDone: settings.text('deletePolicy') === 'immediate' ? quoted('delete') : undefined,
      suffix: suffix === undefined ? undefined : writing.text(suffix),
      order,
      pollIntervalMs: settings.text('pollDelay') === undefined ? undefined : String(settings.number('pollDelay', 500)),
      resumeFrom: resume,
    });
    const header = (key: string, byDefault: string) =>
      settings.flag(key, false) ? quoted(settings.text(`${key}Key`) ?? byDefault) : undefined;
    const event = object({
      fileHeader: header('fileHeader', 'file'),
      basenameHeader: header('basenameHeader', 'basename'),
    });
    const disk = writing.call('drivers/local-disk', 'localDisk');
    return {
      source: connecting(writing.call('inputs', 'spoolSource', disk, options), writing),
      steps: [
        writing.call('operators', 'mapValue', writing.call('flume', 'spoolEvent', ...(event === '{}' ? [] : [event]))),
      ],
    };
  },
};

/** Flume's events of Avro files hold the bytes of a value, and a hash or the text of its schema as a header. */
function lackOf(deserializer: string, settings: Settings): string {
  if (deserializer !== 'AVRO') return `no records of ${settings.text('deserializer')} here`;
  return 'the values of Avro files are no events here: put avroRecords() in the place of lineRecords, and take decoded values where the events are used';
}

/** Which names are read: those that the one pattern matches as a whole, without those that the other does. */
function includedBy(settings: Settings): { readonly java: string; readonly line: number } | undefined {
  const include = settings.text('includePattern');
  const ignore = settings.text('ignorePattern');
  if (include === undefined && ignore === undefined) return undefined;
  const without = ignore === undefined ? '' : `(?!(?:${ignore})$)`;
  return {
    java: `^${without}(?:${include ?? '.*'})$`,
    line: settings.line(include === undefined ? 'ignorePattern' : 'includePattern'),
  };
}
