import { describe, expect, it } from '@jest/globals';
import { readArguments } from '../../src/cli/arguments.js';
import { askFor } from '../../src/cli/init/ask.js';
import { SINK_KINDS, SOURCE_KINDS } from '../../src/cli/init/parts.js';
import { projectFiles, settingsOf } from '../../src/cli/init/project.js';

const versions = {
  rxflume: '^1.0.0',
  rxjs: '^7.8.0',
  tsx: '^4',
  kafkajs: '2.2.4',
  amqplib: '^2',
  avsc: '^5',
  undici: '^7',
};
const files = (source: (typeof SOURCE_KINDS)[number], sink: (typeof SINK_KINDS)[number]) =>
  projectFiles({ name: 'chat', source, sink }, versions);

describe('a new project', () => {
  it('from Kafka to HDFS is exactly once, and reads and writes folders until it is given addresses', () => {
    const { 'flow.ts': flow = '', 'package.json': manifest = '' } = files('kafka', 'hdfs');
    expect(flow).toContain("groupId: 'chat', resumeFrom: lake.offsetStore }).pipe(retryConnect())");
    expect(flow).toContain(
      "nameNodes === undefined ? localDisk({ root: resolve('.data') }) : webhdfs({ nameNodes, user })",
    );
    expect(JSON.parse(manifest)).toMatchObject({ name: 'chat', type: 'module', dependencies: { kafkajs: '2.2.4' } });
    expect(settingsOf({ name: 'chat', source: 'kafka', sink: 'hdfs' })).toEqual([
      'KAFKA_BROKERS=k1:9092,k2:9092',
      'HDFS_URL=http://nn1:9870,http://nn2:9870',
      'HADOOP_USER_NAME=flume',
    ]);
  });

  it('of each source and sink needs only packages whose version is known, and has a sample where there is a log', () => {
    for (const source of SOURCE_KINDS) {
      for (const sink of SINK_KINDS) {
        const made = files(source, sink);
        expect(made['package.json']).not.toContain('undefined');
        const { dependencies } = JSON.parse(made['package.json'] as string) as { dependencies: object };
        expect(Object.keys(dependencies)).toEqual(expect.arrayContaining(['fp-ts', 'io-ts', 'rxflume', 'rxjs', 'tsx']));
        expect('sample.ts' in made).toBe(source !== 'flume');
      }
    }
  });
});

describe('asking', () => {
  it('goes on until an answer is one of those there are, and does not ask for what is given', async () => {
    const answers = ['Chat Lake', 'chat', 'kafak', '', 'files'];
    const questions: string[] = [];
    const question = (text: string) => {
      questions.push(text);
      return Promise.resolve(answers.shift() as string);
    };
    const asked = await askFor({ name: undefined, source: undefined, sink: undefined }, 'lake', question);
    expect(asked).toEqual({ name: 'chat', source: 'kafka', sink: 'files' });
    expect(questions).toHaveLength(5);
    expect(questions[0]).toBe('Name of the flow [lake]: ');
    const given = { name: 'a', source: 'flume', sink: 'http' } as const;
    expect(await askFor(given, 'lake', () => Promise.reject(new Error('asked')))).toEqual(given);
  });
});

it('reads its arguments', () => {
  const plain = {
    verb: 'init',
    folder: '.',
    name: undefined,
    source: undefined,
    sink: undefined,
    isSure: false,
    isJson: false,
  };
  expect(readArguments(['init'])).toEqual(plain);
  expect(readArguments(['init', 'a', '--source', 'rabbitmq', '--sink=kafka', '--name', 'b', '--yes'])).toEqual({
    ...{ verb: 'init', folder: 'a', name: 'b', source: 'rabbitmq', sink: 'kafka', isSure: true, isJson: false },
  });
  expect(() => readArguments(['init', '--source', 'kafak'])).toThrow(
    'expected `--source` to be one of kafka, rabbitmq, flume, got `kafak`; did you mean `kafka`?',
  );
  expect(() => readArguments(['init', '--name', 'A b'])).toThrow('expected `--name` to be lower-case letters');
  expect(() => readArguments(['init', 'a', 'b'])).toThrow('`init` takes one folder; also got `b`');
  expect(() => readArguments(['innit'])).toThrow('unknown command `innit`; did you mean `init`?');
});
