import assert from 'node:assert/strict';
import { describe, expect, it } from '@jest/globals';
import { EMPTY } from 'rxjs';
import { mapValue } from '../../operators/index.js';
import { check } from '../../src/cli/check/check.js';
import { checkText, circleText, connectionsText } from '../../src/cli/check/check-text.js';
import { circlesOf, connectionsOf } from '../../src/cli/check/connections.js';
import { graphOf } from '../../src/cli/graph.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Sink } from '../../src/delivery/receipt.js';
import { Source } from '../../src/delivery/source.js';
import { flow } from '../../src/flow/flow.js';
import { fitting } from './json-schema.js';

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
  expect(fitting('graph', graphOf(drawn, 'json'))).toEqual({
    flow: 'chat',
    guarantee: 'at-least-once',
    parts: [
      { kind: 'source', name: 'kafkaSource', about: 'Kafka topic chat at k1:9092' },
      { kind: 'operator', name: 'mapValue', about: '' },
      { kind: 'sink', name: 'sink', about: 'queue a"<b at h' },
    ],
  });
});

describe('several flows', () => {
  const topic = (name: string) => [{ kind: 'Kafka topic', addresses: ['k1:9092'], names: [name] }];
  const link = (name: string, from: string, to: string) => {
    const source = new Source<Delivery<number>>(() => undefined, { name: 's', isReplayable: true, reads: topic(from) });
    return flow(name, source, Object.assign((() => EMPTY) as Sink<number>, { writes: topic(to) }));
  };

  it('hand over to each other where one writes what another reads', () => {
    const found = connectionsOf([link('one', 'a', 'b'), link('two', 'b', 'c'), link('other', 'x', 'y')]);
    expect(found).toEqual([{ from: 'one', to: 'two', kind: 'Kafka topic', name: 'b', addresses: ['k1:9092'] }]);
    expect(connectionsText(found)).toBe('\nconnections:\n  one ─▶ two  Kafka topic b at k1:9092\n');
    expect([connectionsText([]), circlesOf(found)]).toEqual(['', []]);
  });

  it('may not feed each other in a circle, named from its first flow on', () => {
    const flows = [link('b', 'x', 'y'), link('c', 'y', 'z'), link('a', 'z', 'x'), link('side', 'y', 'q')];
    expect(circlesOf(connectionsOf(flows))).toEqual([['a', 'b', 'c']]);
    expect(circleText(['a', 'b'])).toMatch(/^rxflume: RXF_FLOW_LOOP: .*: a ─▶ b ─▶ a\. .*\n$/);
    const both = [link('a', '1', '2'), link('b', '2', '1'), link('c', '3', '4'), link('d', '4', '3')];
    expect(circlesOf(connectionsOf(both))).toHaveLength(2);
  });

  it('of files: one that cannot be loaded decides, and the others are printed', async () => {
    const lines: string[] = [];
    const to = { write: (text: string) => lines.push(text) };
    const context = { out: to, err: to, env: {}, cwd: '/', log: () => assert.fail() };
    expect(await check({ files: ['no-such-file.ts'], isJson: true }, context)).toBe(2);
    expect(JSON.parse(lines[0] as string)).toEqual({
      ...{ flows: [], connections: [], circles: [], exitCode: 2 },
      errors: [
        { file: 'no-such-file.ts', code: 'RXF_FLOW_FILE', message: expect.stringContaining('There is no file') },
      ],
    });
  });
});
