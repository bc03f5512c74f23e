import { from, lastValueFrom, type ObservableInput } from 'rxjs';

const WITHIN_MS = 20_000;
let names = 0;

/** Throws where the two are not the same in JSON; a set counts as the list of what is in it. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  const [a, e] = [actual, expected].map((value) => JSON.stringify(value instanceof Set ? [...value] : value));
  if (a !== e) throw new Error(`${what}: expected ${e}, got ${a}`);
}

/** Its last value, once it has completed. */
export async function done(answer: ObservableInput<unknown>): Promise<void> {
  await lastValueFrom(from(answer), { defaultValue: undefined });
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Looks again and again until it holds. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  trace?: { readonly error: unknown },
  withinMs = WITHIN_MS,
): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) {
    if (trace?.error !== undefined)
      throw new Error(`Waited for ${what}, but the stream failed`, { cause: trace.error });
    if (performance.now() > end) throw new Error(`Waited ${withinMs} ms for ${what}`);
    await sleep(5);
  }
}

/** A name no check has used. */
export function freshName(what: string): string {
  names += 1;
  return `rxf-${what}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}-${names}`;
}
