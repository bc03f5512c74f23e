/** A part of a project's flow: what it imports, what it is made of, and what the project needs for it. */
export interface Part {
  /** Names by the entry that they are imported from. */
  readonly imports: Readonly<Record<string, readonly string[]>>;
  /** Statements before the flow. */
  readonly code: string;
  /** Packages that npm installs for it. */
  readonly packages: readonly string[];
  /** What is set to use the real system, for the last lines that the command prints. */
  readonly settings: readonly string[];
}

export interface SinkPart extends Part {
  /** The last step of the flow. */
  readonly step: string;
  /** The name of a file sink that a source can resume from, and of one for what cannot be decoded. */
  readonly lake?: string;
  readonly deadLetter?: string;
}

export type SourceKind = 'kafka' | 'rabbitmq' | 'flume';
export type SinkKind = 'hdfs' | 'files' | 'kafka' | 'rabbitmq' | 'http' | 'console';
export const SOURCE_KINDS: readonly SourceKind[] = ['kafka', 'rabbitmq', 'flume'];
export const SINK_KINDS: readonly SinkKind[] = ['hdfs', 'files', 'kafka', 'rabbitmq', 'http', 'console'];

const EMBEDDED = `embeddedLog({ folder: '.data/log', topics: ['events'] })`;
const OPERATORS = 'rxflume/operators';
const EMBEDDED_IMPORTS = { 'rxflume/drivers/embedded-log': ['embeddedLog'], [OPERATORS]: ['retryConnect'] };

/** The source of a flow of that name, which resumes from `lake` where it can. */
export function sourcePart(kind: SourceKind, name: string, lake: string | undefined): Part {
  const resume = lake === undefined ? '' : `, resumeFrom: ${lake}.offsetStore`;
  const reading = (log: string) =>
    `kafkaSource(${log}, { topics: ['events'], groupId: '${name}'${resume} }).pipe(retryConnect())`;
  if (kind === 'kafka') {
    return {
      imports: { rxflume: ['kafkaSource'], 'rxflume/drivers/kafkajs': ['kafkajs'], ...EMBEDDED_IMPORTS },
      packages: ['kafkajs'],
      settings: ['KAFKA_BROKERS=k1:9092,k2:9092'],
      code: `// Without KAFKA_BROKERS the flow reads a log in a folder of this project, which \`npm run sample\` fills.
const from = process.env.KAFKA_BROKERS?.split(',');
const kafka = from === undefined ? ${EMBEDDED} : kafkajs({ brokers: from });
const source = ${reading('kafka')};
`,
    };
  }
  if (kind === 'rabbitmq') {
    return {
      imports: {
        rxflume: ['amqpSource', 'type Delivery', 'kafkaSource'],
        'rxflume/drivers/amqplib': ['amqplib'],
        rxjs: ['type Observable'],
        ...EMBEDDED_IMPORTS,
      },
      packages: ['amqplib'],
      settings: ['RABBITMQ_URL=amqp://mq1:5672'],
      code: `// Without RABBITMQ_URL the flow reads a log in a folder of this project, which \`npm run sample\` fills.
const url = process.env.RABBITMQ_URL;
// A file holds at most \`prefetch\` messages.
const source: Observable<Delivery<Uint8Array | null>> =
  url === undefined
    ? ${reading(EMBEDDED)}
    : amqpSource(amqplib({ urls: [url] }), { queues: ['events'], prefetch: 20_000 }).pipe(retryConnect());
`,
    };
  }
  return {
    imports: {
      rxflume: ['flumeSource'],
      'rxflume/drivers/avro-rpc': ['avroRpcServer'],
      [OPERATORS]: ['mapValue', 'retryConnect'],
    },
    packages: ['avsc'],
    settings: ['FLUME_PORT=4141'],
    code: `// Flume's Avro sinks and RPC clients send here.
const server = avroRpcServer({ host: '127.0.0.1', port: Number(process.env.FLUME_PORT ?? 4141) });
const source = flumeSource(server, { name: 'events' }).pipe(retryConnect());
`,
  };
}

const FILE_SINKS = `const lake = fileSink<Event>(files, {
  root: '/lake',
  path: 'dt={yyyy}-{MM}-{dd}',
  format: jsonLines({ compression: 'gzip' }),
});
const letters = fileSink<DeadLetter>(files, { root: '/dead-letters', format: jsonLines() });
`;
const FILE_IMPORTS = {
  rxflume: ['type DeadLetter', 'fileSink', 'jsonLines'],
  'rxflume/drivers/local-disk': ['localDisk'],
  'node:path': ['resolve'],
};
const FILE_STEP = { step: 'lake.write()', lake: 'lake', deadLetter: 'letters.write()' };

/** The sink of a flow. */
export function sinkPart(kind: SinkKind): SinkPart {
  if (kind === 'files') {
    const code = `// Files are in a folder of this project, or in that of LAKE.\nconst files = localDisk({ root: resolve(process.env.LAKE ?? '.data') });\n`;
    const settings = ['LAKE=/srv/events'];
    return { ...FILE_STEP, imports: FILE_IMPORTS, packages: [], settings, code: `${code}${FILE_SINKS}` };
  }
  if (kind === 'hdfs') {
    return {
      ...FILE_STEP,
      imports: { ...FILE_IMPORTS, 'rxflume/drivers/webhdfs': ['webhdfs'] },
      packages: [],
      settings: ['HDFS_URL=http://nn1:9870,http://nn2:9870', 'HADOOP_USER_NAME=flume'],
      code: `// Without HDFS_URL the files are in a folder of this project.
const nameNodes = process.env.HDFS_URL?.split(',');
const user = process.env.HADOOP_USER_NAME ?? 'flume';
const files = nameNodes === undefined ? localDisk({ root: resolve('.data') }) : webhdfs({ nameNodes, user });
${FILE_SINKS}`,
    };
  }
  if (kind === 'console') {
    const imports = { rxflume: ['consoleSink'], 'rxflume/drivers/stdio': ['stdio'] };
    return { imports, packages: [], settings: [], code: '', step: 'consoleSink<Event>(stdio()).write()' };
  }
  return remoteSink(REMOTE[kind]);
}

interface Remote {
  readonly name: string;
  readonly driver: string;
  readonly setting: string;
  readonly example: string;
  readonly packages: readonly string[];
  readonly made: string;
}

const REMOTE: Readonly<Record<'kafka' | 'rabbitmq' | 'http', Remote>> = {
  kafka: {
    ...{ name: 'kafkaSink', driver: 'kafkajs', setting: 'TO_KAFKA_BROKERS', example: 'k1:9092', packages: ['kafkajs'] },
    made: `kafkaSink<Event>(kafkajs({ brokers: to.split(',') }), { topic: 'events-clean', encode: (event) => JSON.stringify(event) })`,
  },
  rabbitmq: {
    ...{
      name: 'amqpSink',
      driver: 'amqplib',
      setting: 'TO_RABBITMQ_URL',
      example: 'amqp://mq1:5672',
      packages: ['amqplib'],
    },
    made: `amqpSink<Event>(amqplib({ urls: [to] }), { routingKey: 'events-clean', encode: (event) => JSON.stringify(event) })`,
  },
  http: {
    ...{
      name: 'httpSink',
      driver: 'undici',
      setting: 'TO_URL',
      example: 'http://store:8080/events',
      packages: ['undici'],
    },
    made: `httpSink<Event>(undici(), { url: to })`,
  },
};

function remoteSink({ name, driver, setting, example, packages, made }: Remote): SinkPart {
  return {
    imports: {
      rxflume: ['consoleSink', name, 'type Sink'],
      'rxflume/drivers/stdio': ['stdio'],
      [`rxflume/drivers/${driver}`]: [driver],
    },
    packages,
    settings: [`${setting}=${example}`],
    step: 'sink',
    code: `// Without ${setting} the flow prints its values.
const to = process.env.${setting};
const sink: Sink<Event> =
  to === undefined
    ? consoleSink<Event>(stdio()).write()
    : ${made}.write();
`,
  };
}
