import { expect, test } from '@jest/globals';
import type { Flow } from '../../src/flow/flow.js';
import { LEDGER_RULES } from '../../src/sinks/files/ledger/rules.js';
import { type BuildCollector, proveExactlyOnce } from '../../src/testing/index.js';
import { CHAT, plain } from '../sinks/files/trial-flows.js';

test('a watched flow is exactly once as before, whatever dies or is late', () => {
  const build: BuildCollector = (parts) => (plain(LEDGER_RULES)(parts) as Flow).watched({ monitor: parts.monitor });
  const options = { singleFaults: 'none', schedules: 150, seed: 11 } as const;
  expect(proveExactlyOnce(build, CHAT, options)).toMatchObject({ lines: 18, commits: 'checked' });
});
