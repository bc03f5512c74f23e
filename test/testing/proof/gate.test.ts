import { describe, expect, it } from '@jest/globals';
import { Gate } from '../../../src/testing/proof/gate.js';

function traced() {
  const gate = new Gate();
  const seen: string[] = [];
  return {
    gate,
    seen,
    pass: (name: string) => gate.pass(() => seen.push(name)),
    hear: (name: string) => gate.hear(() => seen.push(name)),
  };
}

describe('a gate', () => {
  it('lets pass at once while it is open', () => {
    const { seen, pass, hear } = traced();
    pass('a');
    hear('b');
    expect(seen).toEqual(['a', 'b']);
  });

  it('lets wait, in order, what comes while the collector is stopped, and what follows from within', () => {
    const { gate, seen, pass } = traced();
    gate.stop();
    gate.pass(() => {
      seen.push('a');
      pass('c');
    });
    pass('b');
    expect(seen).toEqual([]);
    gate.wake();
    expect(seen).toEqual(['a', 'b', 'c']);
    pass('d');
    expect(seen).toEqual(['a', 'b', 'c', 'd']);
  });

  it('stops again in the middle of waking', () => {
    const { gate, seen, pass } = traced();
    gate.stop();
    gate.pass(() => gate.stop());
    pass('b');
    gate.wake();
    expect(seen).toEqual([]);
    gate.wake();
    expect(seen).toEqual(['b']);
  });

  it('lets only news wait while the collector is deaf; a stopped one wakes before it hears', () => {
    const { gate, seen, pass, hear } = traced();
    gate.deafen();
    gate.stop();
    hear('lost');
    pass('answer');
    gate.wake();
    expect(seen).toEqual(['answer']);
    expect(gate.isHearing).toBe(false);
    gate.listen();
    expect(seen).toEqual(['answer', 'lost']);
    expect(gate.isHearing).toBe(true);
  });

  it('drops everything once the collector is dead, what waited too', () => {
    const { gate, seen, pass, hear } = traced();
    gate.stop();
    pass('a');
    gate.kill();
    gate.wake();
    gate.listen();
    pass('b');
    hear('c');
    expect(seen).toEqual([]);
    expect(gate.isDead).toBe(true);
  });
});
