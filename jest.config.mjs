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
    '^rxflume/testing$': '<rootDir>/src/testing/index.ts',
    '^rxflume/drivers/(.*)$': '<rootDir>/src/drivers/$1/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.services/', '<rootDir>/.stryker/'],
};

export default {
  maxWorkers: '100%',
  projects: [
    {
      ...shared,
      displayName: 'quick',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['<rootDir>/test/live/', '<rootDir>/test/package/'],
    },
    { ...shared, displayName: 'package', testMatch: ['<rootDir>/test/package/**/*.test.ts'] },
    { ...shared, displayName: 'live', testMatch: ['<rootDir>/test/live/**/*.test.ts'] },
  ],
};
