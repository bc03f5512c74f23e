import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..');

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => posix.join(entry.parentPath.slice(root.length + 1), entry.name))
    .sort();
}

const sources = [...filesUnder('operators'), ...filesUnder('src')];
const textOf = (file: string) => readFileSync(join(root, file), 'utf8');
const codeOf = (file: string) => textOf(file).replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '');

/** All that a file imports or re-exports: our own files from the root, packages by their name. */
function importsOf(file: string): string[] {
  const code = codeOf(file);
  const found = code.matchAll(
    /(?:^import\s+|^(?:import|export)\s+[\w\s{},*$]+\sfrom\s+|\b(?:import|require)\(\s*)['"]([^'"]+)['"]/gm,
  );
  return [...found].map(([, name]) => {
    const target = name as string;
    if (target.startsWith('.')) return posix.join(dirname(file), target).replace(/\.js$/, '.ts');
    return target.startsWith('node:') ? target : target.split('/', target.startsWith('@') ? 2 : 1).join('/');
  });
}

/** The room of a file: its folder at the top of `src`; sources, sinks and drivers are a room each. */
function roomOf(file: string): string {
  const parts = file.split('/');
  if (parts[0] !== 'src') return parts[0] as string;
  if (parts.length === 2) return 'src';
  const isDeep = ['sources', 'sinks', 'drivers'].includes(parts[1] as string);
  return parts.slice(0, isDeep ? 3 : 2).join('/');
}

/** The table of the house: which rooms a room may import, and which packages. `*`: all. */
const BASE = ['src/core', 'src/security', 'src/delivery', 'src/offsets', 'src/backpressure', 'src/lifecycle'];
const TABLE: { readonly room: RegExp; readonly rooms: readonly string[]; readonly packages: readonly string[] }[] = [
  { room: /^operators$/, rooms: [...BASE, 'src/formats'], packages: ['rxjs'] },
  { room: /^src\/core$/, rooms: [], packages: ['rxjs'] },
  // Secrets and certificates are files, read again when they have changed.
  { room: /^src\/security$/, rooms: ['src/core'], packages: ['node:*'] },
  // A connection that is lost is made anew after a backoff.
  { room: /^src\/lifecycle$/, rooms: ['src/core', 'src/delivery', 'src/backpressure'], packages: ['rxjs'] },
  { room: /^src\/(delivery|offsets|backpressure)$/, rooms: BASE, packages: ['rxjs'] },
  { room: /^src\/ports$/, rooms: ['src/core', 'src/delivery', 'src/formats'], packages: ['rxjs'] },
  {
    room: /^src\/formats$/,
    rooms: ['src/core'],
    packages: [
      'rxjs',
      'node:module',
      'node:zlib',
      'node:util',
      'snappyjs',
      'fzstd',
      'hyparquet',
      'hyparquet-writer',
      '@bufbuild/protobuf',
      'ajv',
    ],
  },
  {
    room: /^src\/registry$/,
    rooms: [...BASE, 'src/ports', 'src/formats'],
    packages: ['rxjs'],
  },
  // Names that are too long are cut, and a hash keeps them apart; files are told apart by a hash of what they hold.
  {
    room: /^src\/(sinks\/files|sources\/tail)$/,
    rooms: [...BASE, 'src/ports', 'operators', 'src/formats'],
    packages: ['rxjs', 'node:crypto'],
  },
  // What listens waits, drains and answers one way.
  {
    room: /^src\/sources\/(flume|http|net|syslog)$/,
    rooms: [...BASE, 'src/ports', 'operators', 'src/formats', 'src/sources/listening'],
    packages: ['rxjs'],
  },
  // What emits by itself waits, drains and is counted one way.
  {
    room: /^src\/sources\/(exec|generate)$/,
    rooms: [...BASE, 'src/ports', 'operators', 'src/formats', 'src/sources/from'],
    packages: ['rxjs'],
  },
  // Whole files are read, resumed and finished one way.
  {
    room: /^src\/sources\/spool$/,
    rooms: [...BASE, 'src/ports', 'operators', 'src/formats', 'src/sources/file'],
    packages: ['rxjs'],
  },
  {
    room: /^src\/(sources|sinks)\/[^/]+$/,
    rooms: [...BASE, 'src/ports', 'operators', 'src/formats'],
    packages: ['rxjs'],
  },
  {
    // What a batch, and what a value alone, decompress to is bounded one way.
    room: /^src\/drivers\/kafkajs$/,
    rooms: [...BASE, 'src/ports', 'src/formats'],
    packages: ['rxjs', 'node:*', 'kafkajs', 'lz4js', 'snappyjs'],
  },
  // The bytes of an event on the wire are those of its form in Kafka: one codec for both.
  // Who may connect, and by which certificate, is checked one way.
  {
    room: /^src\/drivers\/avro-rpc$/,
    rooms: [...BASE, 'src/ports', 'src/formats', 'src/drivers/node'],
    packages: ['rxjs', 'node:*', 'avsc'],
  },
  { room: /^src\/drivers\/amqplib$/, rooms: [...BASE, 'src/ports'], packages: ['rxjs', 'node:*', 'amqplib'] },
  { room: /^src\/drivers\/undici$/, rooms: [...BASE, 'src/ports'], packages: ['rxjs', 'node:*', 'undici'] },
  // What Hadoop answers, and what shows that a file is whole, is the same for both: one table of its exceptions, one upload.
  {
    room: /^src\/drivers\/webhdfs-package$/,
    rooms: [...BASE, 'src/ports', 'src/drivers/webhdfs'],
    packages: ['rxjs', 'node:*'],
  },
  // A name that is to outlast a power cut is synced one way.
  {
    room: /^src\/drivers\/embedded-log$/,
    rooms: [...BASE, 'src/ports', 'src/drivers/local-disk'],
    packages: ['rxjs', 'node:*'],
  },
  { room: /^src\/drivers\/[^/]+$/, rooms: [...BASE, 'src/ports'], packages: ['rxjs', 'node:*'] },
  { room: /^src\/(flow|monitor)$/, rooms: BASE, packages: ['rxjs'] },
  // A flow's states are those that a status may have.
  { room: /^src\/metrics$/, rooms: [...BASE, 'src/flow'], packages: ['node:*'] },
  {
    room: /^src\/opentelemetry$/,
    rooms: [...BASE, 'src/ports', 'src/metrics'],
    packages: ['rxjs', '@opentelemetry/api'],
  },
  // What an application has at hand is one entry of the package.
  {
    room: /^src\/inputs$/,
    rooms: ['exec', 'file', 'from', 'generate', 'http', 'listening', 'net', 'spool', 'syslog', 'tail'].map(
      (name) => `src/sources/${name}`,
    ),
    packages: [],
  },
  // What migrated agents are made of.
  {
    room: /^src\/flume$/,
    rooms: ['src/core', 'src/delivery', 'src/formats', 'src/sinks/files'],
    packages: ['node:crypto', 'node:os'],
  },
  { room: /^src\/planner$/, rooms: ['src/core'], packages: [] },
  // A model is a file whose hash is checked.
  {
    room: /^src\/text$/,
    rooms: ['src/core', 'src/delivery'],
    packages: ['node:crypto', 'node:fs/promises'],
  },
  // The rules look at the status of flows; receivers send through the port of HTTP.
  { room: /^src\/alerts$/, rooms: [...BASE, 'src/metrics', 'src/ports'], packages: ['rxjs', 'node:*'] },
  // Replays go through a flow, and write to files and topics as its sinks do.
  {
    room: /^src\/dead-letters$/,
    rooms: [
      ...BASE,
      'src/ports',
      'src/formats',
      'src/flow',
      'operators',
      'src/sinks/files',
      'src/sinks/kafka',
      'src/sources/amqp',
    ],
    packages: ['rxjs', 'node:*'],
  },
  { room: /^src\/testing$/, rooms: [...BASE, 'src/ports', 'src/formats'], packages: ['rxjs'] },
  { room: /^src\/(cli|console)$/, rooms: ['*'], packages: ['*'] },
  {
    room: /^src$/,
    rooms: [
      ...BASE,
      'src/flow',
      'src/formats',
      'src/ports',
      'src/sinks/amqp',
      'src/sinks/console',
      'src/sinks/files',
      'src/sinks/flume',
      'src/sinks/http',
      'src/sinks/kafka',
      'src/sinks/null',
      'src/sources/amqp',
      'src/sources/flume',
      'src/sources/kafka',
    ],
    packages: [],
  },
];

function mayImport(file: string, target: string): boolean {
  const room = roomOf(file);
  const row = TABLE.find((one) => one.room.test(room));
  if (row === undefined) return false;
  const isOurs = target.startsWith('src/') || target.startsWith('operators/');
  if (isOurs) return roomOf(target) === room || row.rooms.includes(roomOf(target)) || row.rooms.includes('*');
  const isNode = target.startsWith('node:') && row.packages.includes('node:*');
  return isNode || row.packages.includes(target) || row.packages.includes('*');
}

/** The files that reach each other, a circle each. Source: Tarjan's strongly connected components. */
function circlesOf(files: readonly string[], imports: (file: string) => readonly string[]): string[] {
  const known = new Set(files);
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const path: string[] = [];
  const circles: string[] = [];
  const visit = (file: string): void => {
    const own = index.size;
    index.set(file, own);
    low.set(file, own);
    path.push(file);
    const targets = imports(file).filter((target) => known.has(target));
    for (const target of targets) {
      if (!index.has(target)) visit(target);
      if (path.includes(target)) low.set(file, Math.min(low.get(file) ?? own, low.get(target) ?? own));
    }
    if (low.get(file) !== own) return;
    const circle = path.splice(path.indexOf(file)).sort();
    if (circle.length > 1 || targets.includes(file)) circles.push(circle.join(' '));
  };
  for (const file of files) if (!index.has(file)) visit(file);
  return circles.sort();
}

/** The one file that reads the clocks. */
const CLOCK = 'src/core/clock.ts';
const READS_TIME_OF_DAY = /\b(Date\.now|\w*[sS]cheduler\.now|new Date\(\))/;
/** What needs the time of day, and why. Everything else waits, and counts, by `monotonicMs`. */
const DATES: Readonly<Record<string, string>> = {
  'operators/aggregate-by-key.ts': 'windows begin at round times of day, and results tell them',
  'src/alerts/alert-when.ts': 'an alert says when it began to fire',
  'src/alerts/alertmanager-receiver.ts':
    'Alertmanager is given the date at which an alert ends unless it is sent again',
  'src/alerts/alerts.ts': 'an alert says when it began to fire',
  'src/alerts/built-in-alerts.ts': 'the age of a record, whose time is a date',
  'src/alerts/notify.ts': 'silences end, and notifications are saved, by dates',
  'src/alerts/surge.ts': 'an alert says when it began to fire',
  'src/alerts/webhook-receiver.ts': 'a signature is of a date',
  'src/console/console-app.ts': 'log lines and tests of taps have dates',
  'src/console/snapshots.ts': 'a snapshot says of when it is',
  'src/cli/doctor/doctor.ts': 'certificates end, and records are deleted, by dates',
  'src/cli/doctor/gather.ts': 'clocks of servers are compared with this one',
  'src/cli/model/model.ts': 'a model says when it was trained',
  'src/dead-letters/drop.ts': 'a drop is dated',
  'src/dead-letters/queue.ts': 'a message that does not say when it was set aside is dated',
  'src/dead-letters/replay-log.ts': 'the end of a replay is dated',
  'src/dead-letters/replay.ts': 'a replay is dated',
  'src/delivery/dead-letter.ts': 'a dead letter tells when it was set aside',
  'src/drivers/webhdfs/delegation-tokens.ts': 'when a token expires, where a server answers without a date',
  'src/drivers/kafkajs/producer/producing.ts': 'a record without a timestamp gets the time it is sent',
  'src/sinks/files/file-sink-session.ts': 'the bucket of a value without a timestamp',
  'src/sinks/http/sender.ts': 'Retry-After may be a date',
  'src/flow/committed-files.ts': 'a file has the date when it was committed',
  'src/flow/tap.ts': 'a tapped value has the date when it passed',
  'src/drivers/node/http-auth.ts': 'a signature is of a date',
  'src/flume/flume-path.ts': 'an event without a time is filed by now',
  'src/flume/interceptors.ts': 'an event is stamped with the time of day',
  'src/flume/syslog.ts': 'a message without a time has that of its arrival',
  'src/metrics/status.ts': 'the age of a record, whose time is a date',
  'src/opentelemetry/settle-spans.ts': 'spans have dates',
  'src/opentelemetry/traced-acker.ts': 'spans have dates',
  'src/sources/amqp/message-times.ts': 'the age of a message, whose time is a date',
  'src/sources/amqp/queue-reader.ts': 'offsets of a later run are above those of an earlier one',
  'src/sources/file/file-stream.ts': 'the age of a record, whose time is a date',
  'src/sources/file/gauges.ts': 'the age of a file, whose time is a date',
  'src/sources/from/gauges.ts': 'the age of a value, whose time is a date',
  'src/sources/generate/record-generator.ts': 'the time of a record that is made too late is that at which it was due',
  'src/sources/from/push-session.ts': 'offsets of a later run are above those of an earlier one',
  'src/sources/kafka/gauges.ts': 'until retention deletes a record, whose time is a date',
  'src/sources/kafka/partition.ts': 'the age of a record, whose time is a date',
  'src/sources/listening/gauges.ts': 'the age of a value, whose time is a date',
  'src/sources/listening/listening-session.ts': 'offsets of a later run are above those of an earlier one',
  'src/sources/listening/reports.ts': 'the age of a value, whose time is a date',
  'src/sources/syslog/syslog-intake.ts': 'messages have dates without a year',
  'src/sources/tail/file-stream.ts': 'the age of a line, which is read at a time of day',
  'src/testing/memory/memory-topic-rules.ts': 'a topic compares the time of a record with the time of day',
};

/** The fakes and contracts, which no flow runs on; what the user may set; and the log's dates. */
function isExemptOfClock(file: string): boolean {
  const own = [CLOCK, 'src/drivers/embedded-log/options.ts', 'src/cli/main.ts'];
  return file.startsWith('src/testing/') || own.includes(file);
}

describe('the house', () => {
  it('has only rooms that the import table knows', () => {
    const unknown = sources.map(roomOf).filter((room) => !TABLE.some((row) => row.room.test(room)));
    expect(unknown).toEqual([]);
    expect(sources.length).toBeGreaterThan(50);
  });

  it('imports only what the table allows', () => {
    const broken = sources.flatMap((file) =>
      importsOf(file)
        .filter((target) => !mayImport(file, target))
        .map((target) => `${file} imports ${target}`),
    );
    expect(broken).toEqual([]);
  });

  /** Rooms within a room, and the siblings that none of their files may import. */
  const WITHIN: Readonly<Record<string, RegExp>> = {
    'src/sinks/files/buckets/': /^src\/sinks\/files\/(ledger|writer)\//,
    'src/sinks/files/ledger/': /^src\/sinks\/files\/writer\//,
  };

  it('writes files on top of the ledger, and both on top of buckets, never the other way', () => {
    const upwards = Object.entries(WITHIN).flatMap(([folder, forbidden]) => {
      const own = sources.filter((file) => file.startsWith(folder));
      expect(own.length).toBeGreaterThan(2);
      return own.filter((file) => importsOf(file).some((target) => forbidden.test(target)));
    });
    expect(upwards).toEqual([]);
    expect(importsOf('src/sinks/files/writer/commit-segment.ts').some((target) => /\/ledger\//.test(target))).toBe(
      true,
    );
  });

  it('would be caught breaking the table', () => {
    const allowed = (file: string, target: string) => mayImport(file, target);
    expect(allowed('operators/batch.ts', 'src/ports/file-system.ts')).toBe(false);
    expect(allowed('operators/batch.ts', 'node:fs')).toBe(false);
    expect(allowed('src/delivery/join.ts', 'operators/batch.ts')).toBe(false);
    expect(allowed('src/sources/kafka/options.ts', 'src/sinks/files/options.ts')).toBe(false);
    expect(allowed('src/sources/kafka/options.ts', 'kafkajs')).toBe(false);
    expect(allowed('src/drivers/webhdfs/url.ts', 'src/drivers/kafkajs/vendor/link.ts')).toBe(false);
    expect(allowed('src/drivers/webhdfs/url.ts', 'kafkajs')).toBe(false);
    expect(allowed('src/sinks/http/sender.ts', 'undici')).toBe(false);
    expect(allowed('src/sinks/console/console-sink.ts', 'src/drivers/stdio/stdio.ts')).toBe(false);
    expect(allowed('src/index.ts', 'src/drivers/webhdfs/url.ts')).toBe(false);
    expect(importsOf('src/drivers/kafkajs/codecs/lz4.ts')).toContain('lz4js');
    expect(importsOf('operators/transmit.ts')).toContain('rxjs');
    expect(importsOf('src/index.ts')).toContain('src/delivery/dead-letter.ts');
  });

  it('loads drivers from the command by import() only', () => {
    const fixed = sources
      .filter((file) => /^src\/(cli|console)$/.test(roomOf(file)))
      .filter((file) => /^(import|export) (?!type )[^;'"]*['"][^'"]*\/drivers\//m.test(textOf(file)));
    expect(fixed).toEqual([]);
  });

  it('keeps time and chance out of the pure rooms: no hidden clock', () => {
    const impure = sources
      .filter(
        (file) =>
          /^(operators|src\/(core|delivery|offsets|backpressure|lifecycle|formats))$/.test(roomOf(file)) &&
          file !== CLOCK,
      )
      .filter((file) => /\b(Date\.now|new Date\(\)|performance\.now|setTimeout|setInterval)\b/.test(textOf(file)));
    expect(impure).toEqual([]);
  });

  it('asks what time of day it is in one file only: the clock of deadlines is monotonic', () => {
    expect(sources.filter((file) => READS_TIME_OF_DAY.test(codeOf(file)) && !isExemptOfClock(file))).toEqual([]);
    expect(READS_TIME_OF_DAY.test('const until = asyncScheduler.now() + ms;')).toBe(true);
    expect(READS_TIME_OF_DAY.test('const until = Date.now() + ms;')).toBe(true);
    expect(READS_TIME_OF_DAY.test('return timer(new Date(untilMs));')).toBe(false);
  });

  it('is drawn in docs/explanation/architecture.md, room by room', () => {
    const drawing = textOf('docs/explanation/architecture.md').split('```')[1] as string;
    const drivers = /^src\/drivers\/([^→]*)/m.exec(drawing)?.[1]?.split(/[\s,]+/) ?? [];
    const rooms = [...new Set(sources.map(roomOf))].filter((room) => room !== 'src');
    const isDrawn = (room: string) =>
      room.startsWith('src/drivers/') ? drivers.includes(basename(room)) : drawing.includes(`\n${room}/ `);
    expect(rooms.filter((room) => !isDrawn(room))).toEqual([]);
  });

  it('uses the time of day for dates only', () => {
    const users = sources.filter((file) => file !== CLOCK && /\btimeOfDayMs\b/.test(codeOf(file)));
    expect(users).toEqual(Object.keys(DATES).sort());
  });

  it('waits by no operator of RxJS that waits by the time of day', () => {
    // These compare readings of Scheduler.now(); timer, timeout, delay and the rest count by setInterval.
    const waiting = /\b(debounceTime|timeInterval|new ReplaySubject[^(]*\([^)]*,)/;
    expect(sources.filter((file) => waiting.test(codeOf(file)))).toEqual([]);
  });

  it('has no two ways to name a thing', () => {
    const forbidden = /(^|-)(events?|items?|managers?|helpers?|utils?|base|impl|process)(-|\.|$)/;
    // Flume's own word for what it carries.
    const named = sources.filter((file) => file !== 'src/formats/flume-event.ts');
    expect(named.filter((file) => forbidden.test(basename(file)))).toEqual([]);
    expect(sources.filter((file) => !/^[a-z0-9-]+(\.d)?\.ts$/.test(basename(file)))).toEqual([]);
  });

  /** Longer than a file may be, each with the most it may have: none may stay here once it is short. */
  const LONG: Readonly<Record<string, number>> = {
    'src/testing/memory/memory-kafka.ts': 340,
  };

  /** Shorter than a file should be, each with its reason: none may stay once it has grown or joined its owner. */
  const SHORT: Readonly<Record<string, string>> = {
    'src/cli/duration.ts': 'a form of option that two commands have',
    'src/console/hidden-fields.ts': 'what taps and dead letters of the console both ask',
    'src/core/random-name.ts': 'used by four rooms that share nothing else',
    'src/flow/committed-file.ts': 'a type of the console and its page, which compiles without Node',
    'src/drivers/kafkajs/untyped.d.ts': 'types of packages without types',
    'src/ports/text-output.ts': 'a port of its own',
    'src/testing/marbles/same.ts': 'equality, for marbles and for RabbitMQ in memory',
  };

  it('has no file of fewer than 20 lines but indexes and those that have a reason', () => {
    const short = sources.filter((file) => basename(file) !== 'index.ts' && textOf(file).split('\n').length - 1 < 20);
    expect(short).toEqual(Object.keys(SHORT).sort());
  });

  it('has no file of more than 320 lines', () => {
    const long = sources.map((file) => [file, textOf(file).split('\n').length - 1] as const);
    const over = long.filter(([file, lines]) => lines > (LONG[file] ?? 320));
    expect(over).toEqual([]);
    expect(Object.keys(LONG).filter((file) => (long.find(([name]) => name === file)?.[1] ?? 0) <= 320)).toEqual([]);
  });
});

describe('what nothing uses', () => {
  const others = ['test', 'bench', 'chaos', 'examples'].flatMap(filesUnder);
  /** What starts by itself, and types that a package lacks. */
  const ENTRIES = ['src/cli/main.ts', 'src/drivers/kafkajs/untyped.d.ts'];
  const isEntry = (file: string) => basename(file) === 'index.ts' || ENTRIES.includes(file);

  /** The names that a file imports or re-exports, each as `file name`; `*` for all of a file. */
  const usesOf = (file: string): string[] => {
    const code = codeOf(file);
    const targetOf = (name: string) => posix.join(dirname(file), name).replace(/\.js$/, '.ts');
    const named = code.matchAll(/\b(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s+from\s+'(\.[^']+)'/g);
    const whole = code.matchAll(/(?:\*(?: as \w+)? from |\bimport\()\s*['`](\.[^'`]+)['`]/g);
    return [
      ...[...named].flatMap(([, names = '', target = '']) =>
        names.split(',').map(
          (name) =>
            `${targetOf(target)} ${
              name
                .trim()
                .replace(/^type /, '')
                .split(' as ')[0]
            }`,
        ),
      ),
      ...[...whole].map(([, target = '']) => `${targetOf(target)} *`),
    ];
  };
  const used = new Set([...sources, ...others].flatMap(usesOf));

  it('is no file', () => {
    const imported = new Set([...used].map((use) => use.split(' ')[0]));
    expect(sources.filter((file) => !isEntry(file) && !imported.has(file))).toEqual([]);
  });

  it('is no function, class or value that a file exports', () => {
    const exported = sources
      .filter((file) => !isEntry(file))
      .flatMap((file) =>
        [...codeOf(file).matchAll(/^export (?:abstract |async )*(?:function\*?|class|const|let) ([\w$]+)/gm)].map(
          ([, name]) => [file, name as string] as const,
        ),
      );
    expect(exported.length).toBeGreaterThan(500);
    expect(exported.filter(([file, name]) => !used.has(`${file} ${name}`) && !used.has(`${file} *`))).toEqual([]);
  });
});

describe('circles of files', () => {
  /** Files that import each other, types included, each circle in order of names. None may stay once it is cut. */
  const KNOWN: readonly string[] = [];

  it('are none but those that are known, and each of those is still there', () => {
    expect(circlesOf(sources, importsOf)).toEqual(KNOWN);
  });

  it('would be found: of two, of three, and of a file that imports itself', () => {
    const graph: Readonly<Record<string, readonly string[]>> = {
      a: ['b', 'rxjs'],
      b: ['a', 'c'],
      c: ['d'],
      d: ['e'],
      e: ['c'],
      f: ['a', 'f'],
    };
    expect(circlesOf(Object.keys(graph), (file) => graph[file] ?? [])).toEqual(['a b', 'c d e', 'f']);
    expect(importsOf('src/delivery/receipt.ts')).toContain('src/delivery/delivery.ts');
  });
});

describe('the operators', () => {
  const operators = filesUnder('operators').filter((file) => file !== 'operators/index.ts');
  const camel = (file: string) =>
    basename(file, '.ts').replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());

  it('are short: half of them have fewer than 50 lines of code', () => {
    const lengths = operators.map((file) => (codeOf(file).match(/^.*\S/gm) ?? []).length).sort((a, b) => a - b);
    const middle = lengths.slice(Math.ceil(lengths.length / 2) - 1, Math.floor(lengths.length / 2) + 1);
    expect(middle.reduce((sum, one) => sum + one, 0) / middle.length).toBeLessThan(50);
  });

  it('export the function they are named for', () => {
    const odd = operators.filter((file) => !new RegExp(`^export function ${camel(file)}\\b`, 'm').test(textOf(file)));
    expect(odd).toEqual([]);
  });

  it('are in the index, which has nothing else', () => {
    const index = textOf('operators/index.ts');
    const missing = operators.filter((file) => {
      const line = index.split('\n').find((one) => one.endsWith(`from './${basename(file, '.ts')}.js';`));
      return line === undefined || !new RegExp(`\\b${camel(file)}\\b`).test(line);
    });
    expect(missing).toEqual([]);
    expect(importsOf('operators/index.ts').sort()).toEqual(operators);
  });

  it('each have a test by their name, whose first test is their drawing', () => {
    const tests = filesUnder('test/operators');
    expect(operators.filter((file) => !tests.includes(`test/${file.replace(/\.ts$/, '.test.ts')}`))).toEqual([]);
    const undrawn = operators.filter((file) => {
      const code = textOf(`test/${file.replace(/\.ts$/, '.test.ts')}`);
      return code.search(/\bit(\.each)?\(/) !== code.indexOf("it('is as drawn'");
    });
    expect(undrawn).toEqual([]);
  });

  it('draw in the docstring what their first test holds: every row of marbles, to the letter', () => {
    const different = operators.flatMap((file) => {
      const drawing = /\* ```\n([\s\S]*?)\n \* ```/.exec(textOf(file))?.[1] ?? '';
      const test = textOf(`test/${file.replace(/\.ts$/, '.test.ts')}`);
      const rows = [...drawing.matchAll(/^ \* (\w+) +([-#].*)$/gm)].map(
        ([, name, row]) => [name as string, (row as string).split(/ {3,}(?=[a-z])/, 1)[0]?.trim()] as const,
      );
      const first = test.slice(test.indexOf("it('is as drawn'"));
      const tested = (name: string) =>
        new RegExp(`(?:const ${name} = '|// +${name} )([^'\\n]+)`).exec(first)?.[1]?.trim();
      return rows.length < 2
        ? [`${file}: no drawing`]
        : rows
            .filter(([name, row]) => tested(name) !== row)
            .map(([name, row]) => `${file}: ${name} ${row} is tested as ${tested(name)}`);
    });
    expect(different).toEqual([]);
  });
});
