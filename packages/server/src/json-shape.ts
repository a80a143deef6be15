const MAX_DEPTH = 64;
const MAX_VALUES = 20_000;

/**
 * Whether a JSON text is of a shape that somebody could mean: not nested without end, not made of countless tiny
 * values. `JSON.parse` holds the event loop for half a second on a megabyte of brackets; this look at it takes a
 * few milliseconds.
 */
export function isModestJson(text: string): boolean {
  let depth = 0;
  let values = 0;
  for (let index = 0; index < text.length; index += 1) {
    switch (text.charCodeAt(index)) {
      case 0x22: // "
        index = endOfString(text, index + 1);
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth += 1;
        if (depth > MAX_DEPTH) return false;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1;
        break;
      case 0x2c: // ,
        values += 1;
        if (values > MAX_VALUES) return false;
        break;
      default:
    }
  }
  return true;
}

/** Where the closing quote is. */
function endOfString(text: string, from: number): number {
  for (let index = from; index < text.length; index += 1) {
    const char = text.charCodeAt(index);
    if (char === 0x22) return index;
    if (char === 0x5c) index += 1;
  }
  return text.length;
}
