import { expect, it } from '@jest/globals';
import { EMPTY } from 'rxjs';
import { checkText } from '../../src/cli/check.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Sink } from '../../src/delivery/receipt.js';
import { Source } from '../../src/delivery/source.js';
import { flow } from '../../src/flow/flow.js';

it('prints the warnings of a flow behind what it guarantees, a line each', () => {
  const source = new Source<Delivery<number>>(() => undefined, {
    name: 'queue',
    isReplayable: false,
    warningsFor: () => ['Few fit. Take more.', 'Another.'],
  });
  const sink = (() => EMPTY) as Sink<number>;
  expect(checkText(flow('some', source, sink))).toMatch(
    /^some: at least once\n( {2}- .*\n)+warning: Few fit\. Take more\.\nwarning: Another\.\n$/,
  );
});
