import { expect, it } from '@jest/globals';
import { MemoryQuota, type QuotaHolder } from '../../../src/drivers/avro-rpc/memory-quota.js';

class Taker implements QuotaHolder {
  heldBytes = 0;
  may = true;

  mayTake(may: boolean): void {
    this.may = may;
  }
}

it('lets only the first go on while the bound is used up, and all when it is free again', () => {
  const turns = new MemoryQuota(100);
  const [a, b, c] = [new Taker(), new Taker(), new Taker()];
  const take = (taker: Taker, bytes: number) => {
    taker.heldBytes = bytes;
    turns.update(taker);
  };
  take(a, 40);
  take(b, 40);
  expect([a.may, b.may]).toEqual([true, true]);
  take(c, 40);
  expect([a.may, b.may, c.may]).toEqual([true, false, false]);
  take(a, 90);
  expect([a.may, b.may, c.may]).toEqual([true, false, false]);
  take(a, 0);
  expect([a.may, b.may, c.may]).toEqual([true, true, true]);
});

it('never leaves the first waiting when a turn ends within another', () => {
  const turns = new MemoryQuota(10);
  const b = new Taker();
  const a = new Taker();
  const c = new Taker();
  // Told that it may go on, `a` ends at once.
  a.mayTake = (may) => {
    if (!may || a.heldBytes === 0) return;
    a.heldBytes = 0;
    turns.update(a);
  };
  for (const taker of [a, b, c]) {
    taker.heldBytes = 20;
    turns.update(taker);
  }
  expect([b.may, c.may]).toEqual([true, false]);
});
