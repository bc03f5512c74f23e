type Version = readonly [number, number, number];

/** Whether a version fits a range as package.json has it: `^1.2.3`, `~1.2`, `>=1 <3`, `1.2.3`, `*`, and several with `||`. */
export function fits(version: string, range: string): boolean {
  const own = versionOf(version);
  if (own === undefined) return false;
  return range.split('||').some((one) =>
    one
      .trim()
      .split(/\s+/)
      .every((rule) => fitsRule(own, rule)),
  );
}

function fitsRule(own: Version, rule: string): boolean {
  const [, sign = '', text = ''] = /^(\^|~|>=|<=|>|<|=)?\s*v?(.*)$/.exec(rule) ?? [];
  const bound = versionOf(text);
  if (bound === undefined) return text === '' || text === '*';
  const order = compare(own, bound);
  switch (sign) {
    case '^':
      return order >= 0 && compare(own, afterCaret(bound)) < 0;
    case '~':
      return order >= 0 && compare(own, [bound[0], bound[1] + 1, 0]) < 0;
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    default:
      return order === 0;
  }
}

/** Below 1 the first number that is not 0 is the one that breaks. */
function afterCaret([major, minor, patch]: Version): Version {
  if (major > 0) return [major + 1, 0, 0];
  return minor > 0 ? [0, minor + 1, 0] : [0, 0, patch + 1];
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function versionOf(text: string): Version | undefined {
  const [, major, minor = '0', patch = '0'] = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-+].*)?$/.exec(text) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}
