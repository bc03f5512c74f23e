import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { root } from './docs/markdown.js';
import { entryFiles } from './support/entries.js';

/**
 * One name for one option, in every source, sink, driver and operator. A new option takes the name that its meaning has here, or
 * adds a row: if you know the options of one sink, you can guess those of the next.
 */
const TABLE = {
  /** Milliseconds. `requestTimeoutMs` is of one attempt, `sendTimeoutMs` of all attempts together. */
  times: [
    ...[
      'requestTimeoutMs',
      'sendTimeoutMs',
      'killAfterMs',
      'connectTimeoutMs',
      'closeTimeoutMs',
      'drainTimeoutMs',
      'revokeTimeoutMs',
    ],
    ...['sessionTimeoutMs', 'rebalanceTimeoutMs', 'safeModeTimeoutMs', 'idleTimeoutMs', 'stallTimeoutMs'],
    ...['keepAliveTimeoutMs', 'headersTimeoutMs', 'bodyTimeoutMs', 'confirmTimeoutMs'],
    ...['firstDelayMs', 'maxDelayMs', 'maxRetryAfterMs', 'maxWaitMs', 'intervalMs', 'receiptIntervalMs'],
    ...['heartbeatIntervalMs', 'metadataMaxAgeMs', 'produceIntervalMs', 'settleAfterMs', 'afterMs', 'openMs', 'idleMs'],
    ...['maxNoProgressMs', 'maxAgeMs', 'unknownAgeMs'],
    ...['scanIntervalMs', 'pollIntervalMs', 'saveIntervalMs', 'goneAfterMs', 'unchangedForMs'],
    ...[
      'minHeadroomMs',
      'forMs',
      'answerTimeoutMs',
      'retryAfterMs',
      'reloadIntervalMs',
      'keepFiringForMs',
      'staleAfterMs',
      'groupWaitMs',
      'groupIntervalMs',
      'repeatIntervalMs',
      'resendIntervalMs',
      'evaluationIntervalMs',
    ],
    ...['windowMs', 'slideMs', 'perMs', 'connectMs', 'withinMs', 'quietMs', 'latencyMs', 'earliestMs', 'latestMs'],
  ],
  /** Bytes. */
  sizes: [
    ...['bytes', 'maxInFlightBytes', 'maxRecordBytes', 'maxMessageBytes', 'maxFrameBytes', 'maxBatchBytes'],
    ...[
      'maxPartitionBytes',
      'maxBufferedBytes',
      'maxResponseBytes',
      'blockSizeBytes',
      'maxBytes',
      'maxBodyBytes',
      'maxFileBytes',
      'maxRowGroupBytes',
      'maxHeaderBytes',
      'receiveBufferBytes',
    ],
  ],
  /** How many. `maxInFlight` is of what is sent and not yet answered. */
  counts: [
    ...['count', 'maxAttempts', 'maxInFlight', 'maxUnacked', 'maxOpenFiles', 'maxBatchCount', 'maxClients'],
    ...['maxConnecting', 'maxFaults', 'connections', 'channelsPerConnection', 'prefetch', 'deliveryLimit', 'failures'],
    ...['burst', 'weight', 'partitions', 'replication', 'recordsPerFetch', 'schedules', 'maxSchemas'],
    ...[
      'maxFiles',
      'maxLines',
      'clears',
      'maxAlerts',
      'maxNacks',
      'maxDeadLetters',
      'maxLetters',
      'maxRebalances',
      'minVolume',
      'minCount',
      'maxKeys',
      'folds',
      'epochs',
      'bits',
      'maxCharacters',
    ],
  ],
  /** Other numbers: a share, a level, a port, a seed. AMQP's heartbeat is in whole seconds on the wire. */
  /** `at` is a step of a flow. */
  numbers: ['at', 'margin', 'rise', 'perSecond', 'jitter', 'compressionLevel', 'port', 'seed', 'heartbeatSeconds'],
  /** What is made from a value: `(value, delivery)`, and what only this option needs behind. */
  callbacks: [
    ...['encode', 'key', 'path', 'topic', 'url', 'routingKey', 'properties', 'timestamp', 'partition', 'weigh'],
    // Of a value for Kafka; of a batch for HTTP.
    'headers',
  ],
  /** Functions of something else than a value. `add` is an accumulator, as of `scan`: the state first. */
  functions: [
    ...[
      'add',
      'initial',
      'when',
      'whyRejected',
      'idempotencyKey',
      'random',
      'now',
      'resumeFrom',
      'delegationToken',
      'authorization',
    ],
    // Of what emits by itself: a value alone.
    ...['sizeOf', 'factsOf', 'onAck', 'onNack'],
    ...['disk', 'readLines', 'readBytes', 'otherwise', 'deadLetter', 'subject', 'unreadable'],
    // Of a rule: what is observed, and the labels and texts of its alerts.
    ...['of', 'clearWhen', 'labels', 'annotations', 'sample'],
  ],
  groups: {
    batch: ['count', 'bytes', 'maxWaitMs'],
    chunk: ['bytes', 'maxWaitMs'],
    window: ['count', 'bytes'],
    waiting: ['count', 'bytes'],
    spare: ['count', 'bytes'],
    roll: ['count', 'bytes', 'intervalMs', 'idleMs'],
    rowGroup: ['count', 'bytes', 'maxWaitMs'],
    commit: ['count', 'intervalMs'],
    ack: ['count', 'intervalMs'],
    transaction: ['count', 'intervalMs', 'timeoutMs', 'idPrefix'],
    /** `maxAttempts` counts the first one. */
    retry: ['maxAttempts', 'firstDelayMs', 'maxDelayMs'],
    /** `maxAttempts` counts those after the loss. */
    reconnect: ['maxAttempts', 'firstDelayMs', 'maxDelayMs'],
    redeliver: ['maxAttempts', 'firstDelayMs', 'maxDelayMs'],
    restart: ['maxAttempts', 'firstDelayMs', 'maxDelayMs'],
    breaker: ['failures', 'openMs'],
    times: ['earliestMs', 'latestMs'],
    multiline: ['start', 'maxWaitMs', 'maxLines'],
  } as Readonly<Record<string, readonly string[]>>,
  /** Of the groups above, where it can be set. */
  groupExtras: ['jitter', 'random', 'maxRetryAfterMs'],
  objects: [
    ...[
      'monitor',
      'tls',
      'sasl',
      'kerberos',
      'declare',
      'consumerArguments',
      'arguments',
      'client',
      'requestParams',
      'hostMap',
    ],
    ...['deadLetters', 'format', 'body', 'recordDecoder', 'value', 'schema', 'readerSchema', 'tracer', 'auth', 'http'],
    ...['records', 'include', 'env'],
    ...['start', 'state', 'baseline', 'falseAlarms', 'classifier', 'alerts$', 'round'],
    ...['filter', 'edits', 'replays', 'card'],
  ],
  lists: [
    'topics',
    'keepFields',
    'files',
    'queues',
    'brokers',
    'groups',
    'urls',
    'nameNodes',
    'dataNodes',
    'agents',
    'allow',
    'faults',
    'required',
    'columns',
    'receivers',
    'groupBy',
    'silences',
    'hosts',
    'peers',
    'redact',
    'paths',
    'command',
    'endCodes',
    'failCodes',
    'exclude',
  ],
  /** Texts that name something, and choices of a few words. */
  texts: [
    ...[
      'name',
      'groupId',
      'groupInstanceId',
      'protocol',
      'clientId',
      'connectionName',
      'user',
      'password',
      'vhost',
      'host',
      'exchange',
      'folder',
      'root',
    ],
    ...['queue', 'permission', 'atLeastOnceRoot', 'idempotencyHeader', 'replay', 'idPrefix'],
    ...[
      'compression',
      'order',
      'startAt',
      'strategy',
      'method',
      'mechanism',
      'mode',
      'reject',
      'whenNacked',
      'healthPath',
      'deflateOrder',
      'fsync',
    ],
    ...['framing', 'namespace', 'overflow', 'positionFile', 'importPositions', 'tooLong', 'lastLine'],
    ...['whenDone', 'badFile', 'suffix', 'doneFolder'],
    // Of a command.
    ...['cwd', 'errorOutput'],
    ...['separator', 'header', 'lineEnd', 'nullText', 'formulas', 'charset', 'invalid', 'bom', 'timestamps'],
    ...['severity', 'secret', 'trustedHeader'],
    // Of an event of Flume.
    ...['timeZone', 'time', 'topicHeader', 'fileHeader', 'basenameHeader', 'source'],
    ...['codec', 'commits', 'kind', 'letterCase', 'numbers', 'singleFaults', 'stream', 'unknownFields', 'write'],
  ],
  flags: [
    'checkCrc',
    'givesChunks',
    'hasBirthTimes',
    'hasHeader',
    'isRecursive',
    'preserveExisting',
    'readOnly',
    'shell',
    'register',
    'reusesInodes',
    'takeOver',
  ],
};

const ENTRIES = entryFiles();

const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
const program = ts.createProgram(
  ENTRIES.map((entry) => root + entry),
  options,
);
const checker = program.getTypeChecker();

interface Member {
  /** `HttpSinkOptions.batch`, or `HttpSinkOptions.batch.count`. */
  readonly at: string;
  readonly name: string;
  readonly type: ts.Type;
  /** In which group. */
  readonly group?: string;
}

/** The members of all exported `…Options`, and of the groups in them. */
function members(): Member[] {
  const seen = new Set<ts.Symbol>();
  return ENTRIES.flatMap((entry) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(root + entry) as ts.SourceFile) as ts.Symbol;
    return checker.getExportsOfModule(module).flatMap((exported) => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const isType = (symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) !== 0;
      if (!isType || !symbol.name.endsWith('Options') || seen.has(symbol)) return [];
      seen.add(symbol);
      return membersOf(checker.getDeclaredTypeOfSymbol(symbol), symbol.name);
    });
  });
}

function membersOf(type: ts.Type, at: string, group?: string): Member[] {
  return type.getProperties().flatMap((property) => {
    const { name } = property;
    const its = checker.getNonNullableType(checker.getTypeOfSymbol(property));
    const member = { at: `${at}.${name}`, name, type: its, ...(group !== undefined && { group }) };
    return name in TABLE.groups ? [member, ...membersOf(its, member.at, name)] : [member];
  });
}

const all = members();

/** An accumulator has its state first; HTTP's headers are of a batch. */
const OTHER_STATE = ['before, value, delivery', 'batch'];

/** Those of some names that do not have what is asked. */
function without(names: readonly string[], holds: (member: Member) => boolean): string[] {
  return all.filter((member) => names.includes(member.name) && !holds(member)).map(({ at }) => at);
}

function isNumber({ type }: Member): boolean {
  return parts(type).some((part) => (part.flags & ts.TypeFlags.NumberLike) !== 0);
}

function parts(type: ts.Type): readonly ts.Type[] {
  return type.isUnion() ? type.types : [type];
}

describe('the options', () => {
  test('are found', () => {
    expect(all.length).toBeGreaterThan(250);
    expect(new Set(all.map(({ at }) => at.split('.')[0])).size).toBeGreaterThan(50);
  });

  test('have the names of the table, and the table has no other', () => {
    const { groups, groupExtras: _, ...kinds } = TABLE;
    const known = [...Object.values(kinds).flat(), ...Object.keys(groups)];
    expect(known.filter((name, at) => known.indexOf(name) !== at)).toEqual([]);
    const isKnown = ({ at, name, group }: Member) =>
      known.includes(name) ||
      (group !== undefined && groups[group]?.includes(name) === true) ||
      at === 'KafkaTransactionOptions.timeoutMs';
    expect(all.filter((member) => !isKnown(member)).map(({ at }) => at)).toEqual([]);
    expect(known.filter((name) => all.every((member) => member.name !== name))).toEqual([]);
  });

  test('have the types of the table', () => {
    const { times, sizes, counts, numbers, lists, flags, texts } = TABLE;
    expect(without([...times, ...sizes, ...counts, ...numbers], isNumber)).toEqual([]);
    expect(without(lists, ({ type }) => parts(type).some((part) => checker.isArrayLikeType(part)))).toEqual([]);
    expect(without(flags, ({ type }) => (type.flags & ts.TypeFlags.BooleanLike) !== 0)).toEqual([]);
    const isText = (part: ts.Type) => (part.flags & ts.TypeFlags.StringLike) !== 0;
    // Of `kind?: K`, what K may be.
    const widest = (type: ts.Type) => checker.getBaseConstraintOfType(type) ?? type;
    expect(without(texts, ({ type }) => parts(widest(type)).some(isText))).toEqual([]);
    expect(without(['monitor'], ({ type }) => type.symbol.name === 'Monitor')).toEqual([]);
  });

  test('say their unit, where they are numbers', () => {
    const { times, sizes, counts, numbers } = TABLE;
    expect(times.filter((name) => !name.endsWith('Ms'))).toEqual([]);
    expect(sizes.filter((name) => !/(^b|B)ytes$/.test(name))).toEqual([]);
    expect([...counts, ...numbers].filter((name) => /Ms$|Bytes$|Timeout|Interval|Delay/.test(name))).toEqual([]);
    const withUnit = [...times, ...sizes, ...counts, ...numbers, 'timeoutMs', 'startAt', 'latencyMs'];
    const bare = all.filter((member) => isNumber(member) && !withUnit.includes(member.name));
    expect(bare.map(({ at }) => at)).toEqual([]);
  });

  test('make something of a value by `(value, delivery)`', () => {
    const wrong = all.flatMap(({ at, name, type }) =>
      parts(type)
        .flatMap((part) => part.getCallSignatures())
        .map((signature) => signature.getParameters().map((parameter) => parameter.name))
        .filter((names) => TABLE.callbacks.includes(name) || names.some((one) => /value|delivery|origin/.test(one)))
        .filter((names) => !OTHER_STATE.includes(names.join(', ')) && `${names[0]}, ${names[1]}` !== 'value, delivery')
        .map((names) => `${at}(${names.join(', ')})`),
    );
    expect(wrong).toEqual([]);
    const { callbacks, functions } = TABLE;
    const isCallable = ({ type }: Member) => parts(type).some((part) => part.getCallSignatures().length > 0);
    expect(without(functions, isCallable)).toEqual([]);
    const called = [...callbacks, ...functions, 'format', 'recordDecoder', 'latencyMs', 'tls', 'password', 'secret'];
    expect(all.filter((one) => isCallable(one) && !called.includes(one.name)).map(({ at }) => at)).toEqual([]);
  });

  test('have the same members in the groups of one name', () => {
    const groups = all.filter(({ name }) => name in TABLE.groups);
    const odd = groups.filter(({ name, type }) => {
      const own = type.getProperties().map((property) => property.name);
      const table = TABLE.groups[name] as readonly string[];
      return (
        table.some((one) => !own.includes(one)) ||
        own.some((one) => !table.includes(one) && !TABLE.groupExtras.includes(one))
      );
    });
    expect(odd.map(({ at }) => at)).toEqual([]);
  });
});
