import type { Origin } from './delivery.js';

/** What an origin says otherwise than the one it is derived from. */
export type OriginChanges = Partial<Pick<Origin, 'part' | 'byteLength' | 'lastOffset' | 'digest' | 'timestamp'>>;

/**
 * An origin that says what another says, but for the changes: all that its source knows of the value, whatever it is
 * called, made when it is asked for.
 *
 * A driver's origins have getters on their prototypes, over private fields, and fields that are not in `Origin`: a copy of
 * their own properties has none of these, and a getter answers only to the object that it was made for.
 *
 * Bounds: keeps the other alive, and no copy of what it says.
 */
export function derivedOrigin(from: Origin, changes: OriginChanges): Origin {
  return new Proxy<OriginChanges>(changes, new Derived(from)) as Origin;
}

class Derived implements ProxyHandler<OriginChanges> {
  readonly #from: Origin;

  constructor(from: Origin) {
    this.#from = from;
  }

  get(changes: OriginChanges, name: keyof OriginChanges): unknown {
    return Object.hasOwn(changes, name) ? changes[name] : this.#from[name];
  }

  has(changes: OriginChanges, name: PropertyKey): boolean {
    return Object.hasOwn(changes, name) || name in this.#from;
  }

  ownKeys(changes: OriginChanges): (string | symbol)[] {
    return [...new Set([...Reflect.ownKeys(this.#from), ...Reflect.ownKeys(changes)])];
  }

  getOwnPropertyDescriptor(changes: OriginChanges, name: PropertyKey): PropertyDescriptor | undefined {
    const own = Object.hasOwn(changes, name) ? changes : this.#from;
    const descriptor = Reflect.getOwnPropertyDescriptor(own, name);
    // What the object of the changes itself does not have must be described as configurable.
    return (
      descriptor && { enumerable: descriptor.enumerable ?? true, configurable: true, value: Reflect.get(own, name) }
    );
  }

  getPrototypeOf(): object | null {
    return Reflect.getPrototypeOf(this.#from);
  }
}
