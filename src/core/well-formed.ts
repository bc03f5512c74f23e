/** Whether a text has no unpaired surrogate: UTF-8 has none, so it would be written as U+FFFD, without a word. */
export function isWellFormed(text: string): boolean {
  // Node has it since 20; the library that the compiler knows is older.
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed();
}
