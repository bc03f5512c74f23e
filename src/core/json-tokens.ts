const [MINUS, ZERO, NINE, BACKSLASH] = [45, 48, 57, 92];

/** Where the string that opens there ends in a JSON text: behind the first quote with an even number of backslashes before it. */
export function endOfString(json: string, opening: number): number {
  for (let quote = json.indexOf('"', opening + 1); quote !== -1; quote = json.indexOf('"', quote + 1)) {
    let before = quote - 1;
    while (json.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((quote - before) % 2 === 1) return quote + 1;
  }
  return json.length;
}

/** Whether a number begins with the character, where a value of a valid JSON text begins. */
export function isNumberStart(char: number): boolean {
  return char === MINUS || (char >= ZERO && char <= NINE);
}

/** The number that begins there in a valid JSON text. */
export function numberAt(json: string, start: number): string {
  const number = /[\d.eE+-]+/y;
  number.lastIndex = start;
  return number.exec(json)?.[0] ?? '';
}
