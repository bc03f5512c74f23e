/** What a character is to the n-grams: between words, of a word, a word of its own (punctuation), a word of its own (Han, kana). */
export const SPACE = 0;
export const LETTER = 1;
const MARK = 2;
export const IDEOGRAPH = 3;

const UNITS = 0x1_0000;
const FULL_WIDTH = { from: 0xff01, to: 0xff5e, ascii: 0x21 };

/** Each UTF-16 unit in lower case, full-width forms as ASCII, white space and controls as one space. */
export const FOLDED = new Uint16Array(UNITS);
/** The class of each UTF-16 unit. A half of a surrogate pair is a letter, so that a pair stays together. */
export const CLASSES = new Uint8Array(UNITS);

for (let unit = 0; unit < UNITS; unit += 1) {
  const folded = foldedUnit(unit);
  FOLDED[unit] = folded;
  CLASSES[unit] = classOf(folded);
}

function foldedUnit(unit: number): number {
  const isFullWidth = unit >= FULL_WIDTH.from && unit <= FULL_WIDTH.to;
  const narrow = isFullWidth ? unit - FULL_WIDTH.from + FULL_WIDTH.ascii : unit;
  const text = String.fromCharCode(narrow);
  if (narrow < 0x20 || /\s/.test(text)) return 0x20;
  const lower = text.toLowerCase();
  return lower.length === 1 ? lower.charCodeAt(0) : narrow;
}

function classOf(unit: number): number {
  if (unit === 0x20) return SPACE;
  if (unit >= 0xd800 && unit <= 0xdfff) return LETTER;
  const text = String.fromCharCode(unit);
  if (/[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]/.test(text)) return IDEOGRAPH;
  return /[\p{L}\p{N}\p{M}'’_]/u.test(text) ? LETTER : MARK;
}

/** A text as duplicates are found by: folded, with white space collapsed. */
export function foldedText(text: string): string {
  let folded = '';
  for (let at = 0; at < text.length; at += 1) folded += String.fromCharCode(FOLDED[text.charCodeAt(at)] as number);
  return folded.replace(/ +/g, ' ').trim();
}
