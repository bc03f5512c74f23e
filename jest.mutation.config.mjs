import config from './jest.config.mjs';

const [quick] = config.projects;

/** The quick tests that are there for one file; scripts/mutation.mjs says which. */
export default {
  ...quick,
  testMatch: JSON.parse(process.env.RXFLUME_MUTATION_TESTS ?? '[]'),
  modulePathIgnorePatterns: quick.modulePathIgnorePatterns.filter((path) => !path.includes('.stryker')),
  setupFiles: ['<rootDir>/test/support/no-shrinking.ts'],
};
