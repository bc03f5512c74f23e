import { expect, it } from '@jest/globals';
import { EMPTY } from 'rxjs';
import { mapValue } from '../../operators/index.js';
import { checkText } from '../../src/cli/check.js';
import { graphOf } from '../../src/cli/graph.js';
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

it('draws a flow as text, as Mermaid with its marks escaped, and as JSON', () => {
  const reads = [{ kind: 'Kafka topic', addresses: ['k1:9092'], names: ['chat'] }];
  const source = new Source<Delivery<number>>(() => undefined, { name: 'kafkaSource', isReplayable: true, reads });
  const sink = Object.assign((() => EMPTY) as Sink<number>, {
    writes: [{ kind: 'queue', addresses: ['h'], names: ['a"<b'] }],
  });
  const drawn = flow(
    'chat',
    source,
    mapValue((value: number) => value),
    sink,
  );
  expect(graphOf(drawn, 'text')).toBe(
    'chat\n\n  kafkaSource  Kafka topic chat at k1:9092\n    │\n    ▼\n  mapValue\n    │\n    ▼\n  sink  queue a"<b at h\n',
  );
  expect(graphOf(drawn, 'mermaid')).toBe(
    '---\ntitle: chat\n---\nflowchart LR\n  p0[("kafkaSource<br>Kafka topic chat at k1:9092")]\n  p1["mapValue"]\n' +
      '  p2[("sink<br>queue a#quot;#lt;b at h")]\n  p0 --> p1\n  p1 --> p2\n',
  );
  expect(JSON.parse(graphOf(drawn, 'json'))).toEqual({
    flow: 'chat',
    guarantee: 'at-least-once',
    parts: [
      { kind: 'source', name: 'kafkaSource', about: 'Kafka topic chat at k1:9092' },
      { kind: 'operator', name: 'mapValue', about: '' },
      { kind: 'sink', name: 'sink', about: 'queue a"<b at h' },
    ],
  });
});
