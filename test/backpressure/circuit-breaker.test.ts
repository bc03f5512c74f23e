import { describe, expect, it } from '@jest/globals';
import { CircuitBreaker } from '../../src/backpressure/circuit-breaker.js';

describe('Breaker', () => {
  it('opens after so many failures in a row, and lets one try decide when its time is over', () => {
    const breaker = new CircuitBreaker({ failures: 2, openMs: 10 });
    breaker.failed(0);
    breaker.succeeded();
    breaker.failed(1);
    expect([breaker.isOpen, breaker.mayTry(1)]).toEqual([false, true]);
    breaker.failed(2);
    expect([breaker.isOpen, breaker.mayTry(11), breaker.openMs(5), breaker.openMs(30)]).toEqual([true, false, 7, 0]);
    expect(breaker.mayTry(12)).toBe(true);
    breaker.began();
    expect(breaker.mayTry(12)).toBe(false);
    breaker.failed(13);
    expect([breaker.mayTry(22), breaker.mayTry(23)]).toEqual([false, true]);
    breaker.began();
    breaker.left();
    expect(breaker.mayTry(23)).toBe(true);
    breaker.began();
    breaker.succeeded();
    expect([breaker.isOpen, breaker.mayTry(23), breaker.openMs(23)]).toEqual([false, true, 0]);
  });

  it('opens after 5 failures for 10,000 ms where nothing is said', () => {
    const breaker = new CircuitBreaker();
    for (let failures = 1; failures < 5; failures += 1) breaker.failed(0);
    expect(breaker.isOpen).toBe(false);
    breaker.failed(0);
    expect([breaker.mayTry(9_999), breaker.mayTry(10_000)]).toEqual([false, true]);
  });

  it('lets all try while it is closed, however many are under way, and is not opened by one that was begun before', () => {
    const breaker = new CircuitBreaker({ failures: 2, openMs: 10 });
    breaker.began();
    breaker.began();
    expect([breaker.mayTry(0), breaker.isOpen, breaker.openMs(0)]).toEqual([true, false, 0]);
    breaker.failed(0);
    expect([breaker.isOpen, breaker.openMs(0), breaker.mayTry(0)]).toEqual([false, 0, true]);
    breaker.failed(1);
    expect([breaker.isOpen, breaker.mayTry(10), breaker.mayTry(11)]).toEqual([true, false, true]);
    breaker.succeeded();
    breaker.failed(20);
    expect([breaker.isOpen, breaker.mayTry(20)]).toEqual([false, true]);
  });
});
