// How `npm run mutation` tries one file; scripts/mutation.mjs says which, and with which tests.
export default {
  testRunner: 'jest',
  plugins: ['@stryker-mutator/jest-runner'],
  testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning'],
  jest: { configFile: 'jest.mutation.config.mjs', enableFindRelatedTests: false },
  coverageAnalysis: 'perTest',
  // A change of what runs at import needs all tests again, and is mostly one of a table of defaults, which the documents hold.
  ignoreStatic: true,
  disableTypeChecks: false,
  concurrency: 1,
  incremental: true,
  incrementalFile: process.env.RXFLUME_MUTATION_STATE,
  tempDirName: '.stryker/tmp',
  ignorePatterns: ['.services', '.rxflume', 'warehouse', 'dist', 'bench', 'chaos', 'deploy', 'docs', 'examples'],
  reporters: ['json'],
  jsonReporter: { fileName: process.env.RXFLUME_MUTATION_REPORT },
};
