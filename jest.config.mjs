const shared = {
  rootDir: import.meta.dirname ?? new URL('.', import.meta.url).pathname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  moduleNameMapper: {
    '^rxflume$': '<rootDir>/src/index.ts',
    '^rxflume/operators$': '<rootDir>/operators/index.ts',
    '^rxflume/ports$': '<rootDir>/src/ports/index.ts',
    '^rxflume/formats$': '<rootDir>/src/formats/index.ts',
    '^rxflume/testing$': '<rootDir>/src/testing/index.ts',
    '^rxflume/drivers/(.*)$': '<rootDir>/src/drivers/$1/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.services/', '<rootDir>/.stryker/'],
};

export default {
  maxWorkers: '100%',
  // Node 20 keeps the modules of each test file that has ended: a worker that runs a hundred has 1 GB of them.
  workerIdleMemoryLimit: '300MB',
  testSequencer: '<rootDir>/test/support/heap-first.cjs',
  projects: [
    {
      ...shared,
      displayName: 'quick',
      setupFilesAfterEnv: ['<rootDir>/test/support/message-form.ts'],
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['<rootDir>/test/live/', '<rootDir>/test/package/'],
    },
    // The same files as in `quick`, where they run a slice of their proofs; see test/support/proof-size.ts.
    {
      ...shared,
      displayName: 'proof',
      testMatch: ['<rootDir>/test/**/*.proof.test.ts'],
      globals: { proofSize: 'whole' },
    },
    { ...shared, displayName: 'package', testMatch: ['<rootDir>/test/package/**/*.test.ts'] },
    { ...shared, displayName: 'live', testMatch: ['<rootDir>/test/live/**/*.test.ts'] },
  ],
};
