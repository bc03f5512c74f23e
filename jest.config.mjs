const transform = (type, extensions = 'ts') => ({
  [`\\.(${extensions})$`]: [
    '@swc/jest',
    { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type } },
  ],
});

/** What a browser, the compiler or virtual time alone decides: left out where CI tries another Node. */
const sameOnEveryNode =
  process.env.RXFLUME_OTHER_NODE === 'true'
    ? [
        'console/page',
        'cli/migrate-types',
        'docs/code-blocks',
        'options-table',
        'types/',
        'sinks/files/exactly-once',
        'sinks/files/overtaking',
      ].map((path) => `/test/${path}`)
    : [];

const shared = {
  rootDir: import.meta.dirname ?? new URL('.', import.meta.url).pathname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: transform('es6'),
  moduleNameMapper: {
    // One file instead of two hundred: it is loaded anew for each test file.
    '^rxjs$': '<rootDir>/node_modules/rxjs/dist/bundles/rxjs.umd.js',
    '^rxjs/testing$': '<rootDir>/test/support/rxjs-testing.cjs',
    '^rxflume$': '<rootDir>/src/index.ts',
    '^rxflume/operators$': '<rootDir>/operators/index.ts',
    '^rxflume/metrics$': '<rootDir>/src/metrics/index.ts',
    '^rxflume/opentelemetry$': '<rootDir>/src/opentelemetry/index.ts',
    '^rxflume/planner$': '<rootDir>/src/planner/index.ts',
    '^rxflume/text$': '<rootDir>/src/text/index.ts',
    '^rxflume/flume$': '<rootDir>/src/flume/index.ts',
    '^rxflume/inputs$': '<rootDir>/src/inputs/index.ts',
    '^rxflume/inputs/parquet$': '<rootDir>/src/inputs/parquet/index.ts',
    '^rxflume/dead-letters$': '<rootDir>/src/dead-letters/index.ts',
    '^rxflume/alerts$': '<rootDir>/src/alerts/index.ts',
    '^rxflume/console$': '<rootDir>/src/console/index.ts',
    '^rxflume/ports$': '<rootDir>/src/ports/index.ts',
    '^rxflume/formats$': '<rootDir>/src/formats/index.ts',
    '^rxflume/formats/parquet$': '<rootDir>/src/formats/parquet/index.ts',
    '^rxflume/formats/protobuf$': '<rootDir>/src/formats/protobuf/index.ts',
    '^rxflume/formats/json-schema$': '<rootDir>/src/formats/json-schema/index.ts',
    '^rxflume/registry$': '<rootDir>/src/registry/index.ts',
    '^rxflume/security$': '<rootDir>/src/security/index.ts',
    '^rxflume/testing$': '<rootDir>/src/testing/index.ts',
    '^rxflume/drivers/(.*)$': '<rootDir>/src/drivers/$1/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.services/', '<rootDir>/.stryker/'],
};

export default {
  // A limit for what hangs, not a measurement: the machine may be busy. Jest takes it from here only, not from a project.
  testTimeout: 20_000,
  maxWorkers: '100%',
  testSequencer: '<rootDir>/test/support/heap-first.cjs',
  projects: [
    {
      ...shared,
      displayName: 'quick',
      // As CommonJS, which Jest loads in two thirds of the time, and which Node 20 frees with its test file.
      extensionsToTreatAsEsm: [],
      transform: transform('commonjs', 'ts|js'),
      // Packages that are ES modules only.
      transformIgnorePatterns: ['/node_modules/(?!hyparquet(-writer)?/)'],
      setupFilesAfterEnv: ['<rootDir>/test/support/message-form.ts'],
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: [
        '<rootDir>/test/live/',
        '<rootDir>/test/package/',
        '\\.proof\\.test\\.ts$',
        '\\.system\\.test\\.ts$',
      ],
    },
    {
      ...shared,
      displayName: 'proof',
      testMatch: ['<rootDir>/test/**/*.proof.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', ...sameOnEveryNode],
    },
    // What starts processes or a compiler, opens sockets, or waits in real time.
    {
      ...shared,
      displayName: 'system',
      setupFilesAfterEnv: ['<rootDir>/test/support/message-form.ts'],
      testMatch: ['<rootDir>/test/**/*.system.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', ...sameOnEveryNode],
    },
    { ...shared, displayName: 'package', testMatch: ['<rootDir>/test/package/**/*.test.ts'] },
    { ...shared, displayName: 'live', testMatch: ['<rootDir>/test/live/**/*.test.ts'] },
  ],
};
