import rxjs from 'eslint-plugin-rxjs-x';
import tseslint from 'typescript-eslint';
import { copiedOrigin } from './scripts/eslint-copied-origin.mjs';

// What neither the compiler nor biome sees: promises and observables that nobody waits for, errors that get lost.
// Form is biome's. `any` is refused by biome where it is written, so the no-unsafe-* rules, which are slow, are left out.

const everywhere = {
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/no-array-delete': 'error',
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-for-in-array': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  'rxflume/copied-origin': 'error',
  'rxjs-x/no-async-subscribe': 'error',
  'rxjs-x/no-create': 'error',
  'rxjs-x/no-floating-observables': 'error',
  'rxjs-x/no-ignored-notifier': 'error',
  'rxjs-x/no-internal': 'error',
  'rxjs-x/no-redundant-notify': 'error',
  'rxjs-x/no-topromise': 'error',
  'rxjs-x/no-unbound-methods': 'error',
  'rxjs-x/prefer-root-operators': 'error',
};

const shipped = {
  '@typescript-eslint/no-unnecessary-type-assertion': 'error',
  // What was caught as unknown may be kept and thrown again as it is.
  '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
  // A promise answers an AbortSignal with its reason, which is any.
  '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingAny: true, allowThrowingUnknown: true }],
  '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  '@typescript-eslint/use-unknown-in-catch-callback-variable': 'error',
  'rxjs-x/no-ignored-replay-buffer': 'error',
  'rxjs-x/no-ignored-takewhile-value': 'error',
  'rxjs-x/no-implicit-any-catch': ['error', { allowExplicitAny: false }],
  'rxjs-x/no-index': 'error',
  'rxjs-x/no-misused-observables': 'error',
  'rxjs-x/no-sharereplay': 'error',
  'rxjs-x/no-sharereplay-before-takeuntil': 'error',
  'rxjs-x/no-subscribe-in-pipe': 'error',
  'rxjs-x/no-subject-unsubscribe': 'error',
  'rxjs-x/no-unnecessary-collection': 'error',
  'rxjs-x/no-unsafe-subject-next': 'error',
  'rxjs-x/no-unsafe-takeuntil': 'error',
  'rxjs-x/throw-error': 'error',
  // Tried and left out, since all they found was meant so:
  // no-unnecessary-condition: options come from JavaScript too, and fields change while an await lasts.
  // require-await: async makes a throw a rejection, which is what a codec or a fake wants.
  // unbound-method: `expectFunction('fs.create', fs?.create)` only looks.
  // no-base-to-string: messages must show any value, whatever its type says.
  // no-deprecated: takes a constructor's parameter `source` for Observable.source.
  // no-misused-spread: splitting a text by code points is what `[...text]` is for.
  // rxjs-x/no-nested-subscribe: an operator by hand is a subscription in a subscription.
  // rxjs-x/no-ignored-error, no-ignored-subscription: timers and our subjects do not fail; lifetimes are tested.
  // rxjs-x/no-exposed-subjects: `Acker.wanted` is an Observable to everyone but its owner.
  // rxjs-x/no-subclass: `Source` is an Observable that can be drained; there is one such class.
};

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'coverage/',
      '.services/',
      '.stryker/',
      '.rxflume/',
      'warehouse/',
      '.site/',
      '**/*.{js,mjs,cjs}',
      '**/*.d.ts',
    ],
  },
  {
    files: ['{src,operators,test,examples,bench,chaos}/**/*.ts'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    plugins: {
      '@typescript-eslint': tseslint.plugin,
      'rxjs-x': rxjs,
      rxflume: { rules: { 'copied-origin': copiedOrigin } },
    },
    rules: everywhere,
  },
  { files: ['{src,operators}/**/*.ts'], rules: shipped },
);
