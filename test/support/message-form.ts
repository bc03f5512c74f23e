import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect } from '@jest/globals';
import { describeError, RxflumeError } from '../../src/core/errors.js';
import { Monitor } from '../../src/core/monitor.js';

/**
 * Runs in each quick test file: looks at every error that rxflume builds and every message that it logs, and fails the test
 * that built a malformed one. Errors that tests and the fakes build are theirs. Where a test has random input, whose
 * characters a message may show unquoted, nothing is looked at.
 */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const malformed: string[] = [];

class BuiltError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    look(message, this, options?.cause);
  }
}

// `super()` calls the prototype of the class, so this sees what any subclass builds. `instanceof` is not concerned.
Object.setPrototypeOf(RxflumeError, BuiltError);

const { logEvent } = Monitor.prototype;
Monitor.prototype.logEvent = function (level, what, message, details) {
  look(message, new Error(what), undefined);
  logEvent.call(this, level, what, message, details);
};

const isRandom = readFileSync(expect.getState().testPath as string, 'utf8').includes('fast-check');

afterEach(() => {
  expect(malformed.splice(0)).toEqual([]);
});

function look(message: string, built: Error, cause: unknown): void {
  if (isRandom) return;
  const fault = messageFault(cause === undefined ? message : message.replaceAll(describeError(cause), 'cause'));
  if (fault === null || !isOurs(built)) return;
  malformed.push(`${fault}: ${message}`);
}

function isOurs({ stack = '' }: Error): boolean {
  const builder = stack
    .split('\n')
    .filter((line) => line.startsWith('    at ') && line.includes(ROOT))
    .map((line) => line.slice(line.indexOf(ROOT) + ROOT.length))
    .find((path) => !/^(src\/core\/(errors|monitor)|test\/support\/message-form)\.ts/.test(path));
  return builder !== undefined && /^(src|operators)\//.test(builder) && !builder.startsWith('src/testing/');
}

/** Text that a message quotes, in backticks or as a JSON string. */
const QUOTED = /`(?:"(?:[^"\\]|\\.)*"|[^`"])*`|"(?:[^"\\]|\\.)*"|`[^`]*`/g;

/** What is wrong with the form of a message; null if nothing. */
export function messageFault(message: string): string | null {
  const own = message.replaceAll(QUOTED, 'quoted');
  if (own.includes('`')) return 'an unclosed backtick';
  if (/(?<!\.)\.\.(?=\s|$)/.test(own)) return 'two full stops';
  if (/ [.,;:](?=\s|$)/.test(own)) return 'a space before a stop';
  if (own.includes('[object ')) return 'an object as text';
  if (
    /[/:@-](undefined|NaN)\b|\b(undefined|NaN)[/:@-]|\b(offset|topic|queue|stream|group|port|HTTP|at) (undefined|NaN)\b/.test(
      own,
    )
  ) {
    return 'a missing value';
  }
  if (!/[.?!…]["'”’)\]]*$/.test(message)) return 'no full stop';
  return null;
}
