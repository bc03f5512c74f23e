/**
 * What a real driver would hand out with these facts: an object without properties of its own, whose getters answer only to
 * it, as those over private fields do. A copy of it has none of the facts.
 */
export function lazy<T extends object>(facts: T): T {
  const getters: PropertyDescriptorMap = {};
  for (const name of Object.keys(facts)) {
    getters[name] = {
      get(): unknown {
        if (this !== made) throw new TypeError(`\`${name}\` was asked of an object that a driver did not make`);
        return facts[name as keyof T];
      },
    };
  }
  const made: T = Object.create(Object.create(Object.prototype, getters));
  return made;
}
