import { describe, expect, it } from '@jest/globals';
import { EMPTY, NEVER, type Observable, of, Subject, Subscription, throwError, timer } from 'rxjs';
import { type SourceEnding, SourceLifecycle } from '../../src/lifecycle/source-lifecycle.js';
import { inVirtualTime } from '../support/virtual-time.js';

/** A source whose calls are noted, with what its observer gets. */
function source(steps: () => readonly Observable<unknown>[] = () => [], closed$: Observable<unknown> = EMPTY) {
  const seen: string[] = [];
  const stop$ = new Subject<void>();
  const out = { complete: () => seen.push('complete'), error: (error: unknown) => seen.push(`error ${error}`) };
  const ending: SourceEnding = {
    drain: () => {
      seen.push('drain');
      return steps();
    },
    close: () => {
      seen.push('close');
      return closed$;
    },
    end: () => seen.push('end'),
  };
  const lifecycle = new SourceLifecycle(out, ending);
  const connect = () => {
    seen.push('connect');
    return new Subscription(() => seen.push('disconnect'));
  };
  return { seen, stop$, lifecycle, connect };
}

describe('the lifecycle of a source', () => {
  it('is as drawn: it drains step by step, closes, and only then ends and completes', () =>
    inVirtualTime((at) => {
      const own = source(() => [timer(10), timer(10)], timer(5));
      own.lifecycle.start(own.stop$, own.connect);
      expect([own.seen, own.lifecycle.isRunning]).toEqual([['connect'], true]);
      own.stop$.next();
      own.stop$.next();
      expect([own.lifecycle.isRunning, own.lifecycle.isDraining]).toEqual([false, true]);
      at(19, () => expect(own.seen).toEqual(['connect', 'drain']));
      at(21, () => {
        expect(own.seen).toEqual(['connect', 'drain', 'close']);
        expect([own.lifecycle.isRunning, own.lifecycle.isDraining]).toEqual([false, false]);
      });
      at(26, () => expect(own.seen).toEqual(['connect', 'drain', 'close', 'end', 'disconnect', 'complete']));
    }));

  it('ends a drain with the first error: its cause, what was noted, what a step fails with', () => {
    const failing = () => [throwError(() => 'first'), throwError(() => 'second'), of('value')];
    const own = source(failing);
    own.lifecycle.start(own.stop$, own.connect);
    own.stop$.next();
    expect(own.seen.slice(-4)).toEqual(['close', 'end', 'disconnect', 'error first']);

    const caused = source(failing);
    caused.lifecycle.start(caused.stop$, caused.connect);
    caused.lifecycle.drain('cause');
    expect(caused.seen.at(-1)).toBe('error cause');

    const noted = source(() => [NEVER]);
    noted.lifecycle.start(noted.stop$, noted.connect).add(() => noted.seen.push('unsubscribed'));
    noted.stop$.next();
    noted.lifecycle.note(undefined);
    noted.lifecycle.drain('noted');
    expect(noted.seen).toEqual(['connect', 'drain']);
  });

  it('takes an error while it drains for its own, and no error of closing', () =>
    inVirtualTime((at) => {
      const own = source(
        () => [timer(10)],
        throwError(() => 'not closed'),
      );
      own.lifecycle.start(own.stop$, own.connect);
      own.stop$.next();
      own.lifecycle.drain('late');
      at(11, () => expect(own.seen).toEqual(['connect', 'drain', 'close', 'end', 'disconnect', 'error late']));
    }));

  it('fails at once, and once, also while it drains', () => {
    const own = source(() => [NEVER]);
    own.lifecycle.start(own.stop$, own.connect);
    own.stop$.next();
    own.lifecycle.fail('one');
    own.lifecycle.fail('two');
    own.lifecycle.drain('three');
    expect(own.seen).toEqual(['connect', 'drain', 'end', 'disconnect', 'error one']);
  });

  it('fails with the error of its stop signal', () => {
    const own = source();
    own.lifecycle.start(own.stop$, own.connect);
    own.stop$.error('no signal');
    expect(own.seen).toEqual(['connect', 'end', 'disconnect', 'error no signal']);
  });

  it('does not connect where it is stopped already', () => {
    const own = source();
    own.lifecycle.start(of('stop'), own.connect);
    expect(own.seen).toEqual(['drain', 'close', 'end', 'complete']);
  });

  it('is silent once it is unsubscribed, and makes what is out stale before it disconnects', () => {
    const own = source(() => [NEVER]);
    const life = own.lifecycle.start(own.stop$, own.connect);
    life.unsubscribe();
    own.stop$.next();
    own.lifecycle.fail('late');
    expect(own.seen).toEqual(['connect', 'end', 'disconnect']);
  });
});
