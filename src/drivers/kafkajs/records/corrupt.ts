/** The one error for fetched bytes that cannot be what a broker keeps. `what` says where the contradiction is. */
export function corrupt(what: string): Error {
  return new Error(`a batch of records is corrupt: ${what}`);
}
