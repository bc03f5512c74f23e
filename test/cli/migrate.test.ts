import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { agentNames, agentOf } from '../../src/cli/migrate/agent.js';
import { migrateAgent } from '../../src/cli/migrate/flow-file.js';
import { jsRegex } from '../../src/cli/migrate/java-regex.js';
import { readProperties } from '../../src/cli/migrate/properties.js';
import { reportOf, reportText } from '../../src/cli/migrate/report.js';

const FOLDER = new URL('agents/', import.meta.url);
const AGENTS = readdirSync(FOLDER).sort();

function migrated(text: string, name = 'a1') {
  const agent = agentOf(readProperties(text), name);
  const result = migrateAgent(agent, 'agent.conf');
  return { ...result, report: reportOf(agent, result), code: result.files.map((file) => file.text).join('\n') };
}

const read = (file: string) => readFileSync(new URL(file, FOLDER), 'utf8');
/** An agent with one line more. */
const withLine = (file: string, line: string) => migrated(`${read(file)}\n${line}\n`);

describe('readProperties', () => {
  it('reads them as Java does', () => {
    const { entries } = readProperties(
      'a=1\n# c\n ! c\n\nb : 2\nc 3\n\td\\ e = x\\\n   y\nf\\u0041=\\u00e9\\t\nlast=\\\\\nempty=\ng = a=b',
    );
    expect(entries.map(({ key, value, line }) => [key, value, line])).toEqual([
      ...[
        ['a', '1', 1],
        ['b', '2', 5],
        ['c', '3', 6],
        ['d e', 'xy', 7],
        ['fA', 'é', 9],
      ],
      ...[
        ['last', '\\', 10],
        ['empty', '', 11],
        ['g', 'a=b', 12],
      ],
    ]);
  });

  it('has the last of a key that is set again, and says so', () => {
    const { entries, repeated } = readProperties('a=1\nb=2\na=3');
    expect(entries.map(({ key, value }) => key + value)).toEqual(['b2', 'a3']);
    expect(repeated).toEqual([{ key: 'a', value: '1', line: 1 }]);
  });
});

describe('jsRegex', () => {
  it.each([
    ['(?i)error', '/error/i'],
    ['\\Qa.b\\E+', '/a\\.b+/'],
    ['^\\p{Alpha}+[\\p{Digit}_]$', '/^[A-Za-z]+[0-9_]$/'],
    ['\\A\\d+\\z', '/^\\d+$/'],
    ['a/b', '/a\\/b/'],
    ['(?<year>\\d{4})', '/(?<year>\\d{4})/'],
  ])('writes %s as %s', (java, literal) => {
    expect(jsRegex(java)).toEqual({ literal });
  });

  it.each(['a++', '(?>a)b', '[a-z&&[^b]]', '\\G', '(?x) a', '(unclosed'])('says that %s has no form', (java) => {
    expect(jsRegex(java)).toEqual({ problem: expect.any(String) });
  });

  it('takes an escaped plus for a plus', () => {
    expect(jsRegex('\\++')).toEqual({ literal: '/\\++/' });
  });
});

describe('migrateAgent', () => {
  it.each(AGENTS)('accounts for each setting of %s once', (file) => {
    const properties = readProperties(read(file));
    for (const name of agentNames(properties)) {
      const { report } = migrated(read(file), name);
      const own = [...properties.entries, ...properties.repeated].filter(({ key }) => key.startsWith(`${name}.`));
      expect(report.settings.map(({ line }) => line).sort()).toEqual(own.map(({ line }) => line).sort());
      for (const { note } of report.settings) expect(note).not.toBe('');
    }
  });

  it.each(AGENTS)('says which parts of %s are to be written, or has none', (file) => {
    const { files, code } = migrated(read(file));
    const marks = code.match(/\bgap\(/g) ?? [];
    expect(marks).toHaveLength(files.reduce((sum, { gaps }) => sum + gaps, 0));
  });

  it('never writes a secret', () => {
    for (const file of AGENTS) {
      const { code, report } = migrated(read(file));
      expect(code + JSON.stringify(report) + reportText(report)).not.toMatch(/hunter2|changeit|very secret|secret too/);
    }
  });

  it.each([
    ['memory-channel', 'netcat-logger.conf', 'loses what is in the memory channel c1'],
    ['acks=1', 'taildir-kafka.conf', 'acks=1'],
    ['loop', 'kafka-loop.conf', 'again and again'],
    ['roll defaults', 'avro-hdfs.conf', '10 events'],
    ['file channel', 'avro-hdfs.conf', 'Drain the channel'],
    ['time zone', 'avro-hdfs.conf', 'hdfs.timeZone is not set'],
    ['a pipe', 'exec-hdfs.conf', 'A pipe has no ack'],
    ['tail -F', 'exec-hdfs.conf', '`tailSource` follows it without loss or doubles'],
  ])('warns of %s', (_, file, words) => {
    expect(
      migrated(read(file))
        .warnings.map(({ message }) => message)
        .join('\n'),
    ).toContain(words);
  });

  it('runs a command as Flume does, by a list of words, and never ends in silence', () => {
    const exec = migrated(read('exec-hdfs.conf'));
    expect(exec.code).toContain("command: ['tail', '-F', '/var/log/secure']");
    expect(exec.code).toContain('endCodes: []');
    expect(exec.code).toContain('restart: { firstDelayMs: 10_000, maxDelayMs: 10_000 }');
    const shell = migrated(read('exec-shell.conf'));
    expect(shell.code).toContain("command: ['/bin/bash', '-c', 'for i in /path/*.txt; do cat $i; done']");
    expect(shell.code).toContain('restart: { maxAttempts: 0 }');
    expect(shell.warnings.map(({ message }) => message).join('\n')).toContain('runs on without a word');
    const quiet = withLine('exec-shell.conf', 'a1.sources.r1.logStdErr = false');
    expect(quiet.code).toContain("errorOutput: 'ignore'");
    expect(withLine('exec-hdfs.conf', 'a1.sources.r1.restartThrottle = 500').code).toContain('firstDelayMs: 500');
  });

  it('generates what Flume does: numbers, or one body at a rate', () => {
    const seq = migrated(read('seq-null.conf')).code;
    expect(seq).toContain(
      "generateSource((seq) => String(seq), { name: 'r1', perSecond: Number.POSITIVE_INFINITY, count: 1_000 })",
    );
    const stress = migrated(read('stress-file.conf')).code;
    expect(stress).toContain('() => Buffer.alloc(1_024, 0x7f)');
    expect(stress).toContain('perSecond: 2_000, count: 500_000');
  });

  it('writes no record back to where it came from', () => {
    expect(migrated(read('kafka-loop.conf')).code).toContain("topic: 'clean'");
    expect(
      migrated(
        read('avro-forward.conf').replace(
          /a1.sinks.k1.type = avro/,
          'a1.sinks.k1.type = org.apache.flume.sink.kafka.KafkaSink',
        ),
      ).code,
    ).toContain("event.headers['topic'] ?? 'default-flume-topic'");
  });

  it('says what it does not know, and what belongs to nothing', () => {
    const unknown = migrated(read('mistakes.conf')).report.settings.filter(({ outcome }) => outcome === 'unknown');
    expect(unknown.map(({ key }) => key)).toEqual(
      expect.arrayContaining([
        'a1.sources.r1.prot',
        'a1.sources.r9.type',
        'a1.sinks.k1.chanel',
        'a1.sinks.k2.type',
        'a1.typo',
        'a1.sources.r1.port',
      ]),
    );
  });

  it('is exactly once where source and sink allow it', () => {
    expect(migrated(read('kafka-to-hdfs.conf')).code).toContain('resumeFrom: k1.offsetStore');
    expect(migrated(read('replicating.conf')).code).not.toContain('resumeFrom');
  });

  it('reads the variables of the environment when the flow starts', () => {
    const { code } = migrated(read('environment.conf'));
    expect(code).toContain("brokers: env('KAFKA_BROKERS').split(',')");
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code.
    expect(code).toContain("root: `/flume/${env('TEAM')}/events`");
  });

  it.each([
    ['hdfs://nn1:8020/a/%Y', "nameNodes: ['http://nn1:9870']", "root: '/a'"],
    ['hdfs://nn1/a', "nameNodes: ['http://nn1:9870']", "root: '/a'"],
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: it is code.
    ['hdfs://${env:NN}:8020/a/b', "nameNodes: [`http://${env('NN')}:9870`]", "root: '/a/b'"],
    ['hdfs://nn1:8020${env:ROOT}/a/%Y', "nameNodes: ['http://nn1:9870']", "root: `${env('ROOT')}/a`"],
    ['${env:LAKE}/a/%Y', 'the path has none (fs.defaultFS)', "root: `${env('LAKE')}/a`"],
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: it is code.
    ['a/b', 'the path has none (fs.defaultFS)', "root: '/user/flume/a/b'"],
  ])('reads the parts of the path %s', (path, nameNodes, root) => {
    const { code } = withLine('avro-hdfs.conf', `a1.sinks.k1.hdfs.path = ${path}`);
    expect(code).toContain(nameNodes);
    expect(code).toContain(root);
  });

  it('knows the folder of a file group when the flow starts', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code.
    const { code } = withLine('taildir-kafka.conf', 'a1.sources.r1.filegroups.f2 = ${env:LOGS}/a.b/.*log.*');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code.
    expect(code).toContain("paths: ['/var/log/test1/example.log', `${env('LOGS')}/a.b/*log*`]");
    const [, regex = ''] = /path: (new RegExp\(.*\)),\n/.exec(code) ?? [];
    const made = new Function('env', `return ${regex}`)((name: string) => (name === 'LOGS' ? '/log.d' : '')) as RegExp;
    expect(made.test('/log.d/a.b/xlogy')).toBe(true);
    expect(made.test('/logxd/a.b/xlogy')).toBe(false);
  });

  it('gives each port of syslog its header, and keeps the fields that are asked for', () => {
    const { code, report } = withLine('syslog-multiport.conf', 'a1.sources.r1.keepFields = priority hostname');
    expect(report.counts.gap).toBe(0);
    expect(code).toContain("syslogEvent({ keepFields: ['priority', 'hostname'], source: 'multiport_syslogtcp' })");
    for (const port of ['10001', '10002', '10003'])
      expect(code).toContain(`staticHeader('port', '${port}', { preserveExisting: false })`);
  });

  it('reads what is included and not ignored', () => {
    const { code } = withLine('spooldir-hdfs.conf', 'a1.sources.r1.ignorePattern = ^old.*$');
    const [, source = ''] = /include: \/(.*)\/,/.exec(code) ?? [];
    const reads = (name: string) => new RegExp(source).test(name);
    expect(['a.log', 'old.log', 'a.txt'].filter(reads)).toEqual(['a.log']);
  });

  it('says what reads the values of Avro files, and does not type-check before', () => {
    const { code, report } = withLine('spooldir-hdfs.conf', 'a1.sources.r1.deserializer = AVRO');
    expect(code).toMatch(/line \d+: the values of Avro files are no events here: put avroRecords\(\) in the place/);
    expect(report.counts.gap).toBe(1);
  });

  it('sends a copied header as bytes, and no time where the event has none', () => {
    const text = read('taildir-kafka.conf');
    const { code } = migrated(`${text}\na1.sinks.k1.header.trace = traceparent\na1.sinks.k1.timestampHeader = at\n`);
    expect(code).toContain("...(headers['trace'] !== undefined && { 'traceparent': Buffer.from(headers['trace']) })");
    expect(code).toContain("headers['at'] === undefined ? null : Number(headers['at'])");
  });

  it('sends events without a mapping to the default where events go to several channels', () => {
    const { code } = withLine('multiplexing-both.conf', 'a1.sources.r1.selector.default = c2');
    expect(code).toContain("['b'].includes(headers['data-type'] ?? '') || !['a', 'b'].includes(");
    expect(code).not.toContain('[].includes');
  });

  it('names a flow and its constants as TypeScript can, whatever the agent calls them', () => {
    const text = read('avro-hdfs.conf').replaceAll('k1', 'hdfs-sink').replaceAll('r1', '1_source');
    const { files, code } = migrated(text);
    expect(files.map(({ name }) => name)).toEqual(['a1-1-source']);
    expect(code).toContain('const hdfsSink = fileSink');
    expect(migrated(read('avro-hdfs.conf').replaceAll('k1', 'flow')).code).toContain('const flowSink =');
  });

  it('keeps a value that would end a text or a comment in its place', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what must stay a text.
    const odd = "'; process.exit(1); // ${x} `\\u2028*/";
    const { code } = withLine('kafka-to-hdfs.conf', `a1.sources.r1.kafka.topics = ${odd}`);
    expect(code).toContain('"\'; process.exit(1);');
  });
});
