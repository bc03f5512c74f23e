/** Names of partitions as a message has them: the first eight, and how many more. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return 'no partition (other members of the group have them all)';
  const more = names.length > 8 ? ` and ${names.length - 8} more` : '';
  return `${names.slice(0, 8).join(', ')}${more}`;
}
