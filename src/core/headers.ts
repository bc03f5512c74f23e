/** What a header holds; null where its writer set it to null, which is not the same as empty. */
export type HeaderValue = Uint8Array | null;

/** Headers by name; a list if a name occurs more than once. For lookups: it does not keep the order. */
export type HeaderMap = Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>;

/** Every header in the order it was written, repeated names included. For copying: it keeps all there is. */
export type HeaderList = readonly (readonly [name: string, value: HeaderValue])[];

/** The headers of a record, in either form; a source makes them when they are asked for. */
export interface RecordHeaders {
  readonly headers?: HeaderMap | undefined;
  readonly headerList?: HeaderList | undefined;
}

/** The last header of a name, which is the one that counts where it is repeated. */
export function lastHeader({ headerList, headers }: RecordHeaders, wanted: string): HeaderValue | undefined {
  if (headerList !== undefined) {
    for (let at = headerList.length - 1; at >= 0; at -= 1)
      if (headerList[at]?.[0] === wanted) return headerList[at]?.[1];
    return undefined;
  }
  const found = headers?.[wanted];
  return isHeaders(found) ? found.at(-1) : found;
}

function isHeaders(value: HeaderValue | readonly HeaderValue[] | undefined): value is readonly HeaderValue[] {
  return Array.isArray(value);
}

export function toHeaderMap(list: HeaderList): HeaderMap {
  // Without a prototype: a header may be called `constructor` or `__proto__`.
  const map: Record<string, HeaderValue | HeaderValue[]> = Object.create(null);
  for (const [name, value] of list) {
    const known = map[name];
    if (known === undefined) map[name] = value;
    else if (Array.isArray(known)) known.push(value);
    else map[name] = [known, value];
  }
  return map;
}

export function toHeaderList(map: HeaderMap): HeaderList {
  return Object.entries(map).flatMap(([name, value]) =>
    isList(value) ? value.map((one) => [name, one] as const) : [[name, value] as const],
  );
}

function isList(value: HeaderValue | readonly HeaderValue[]): value is readonly HeaderValue[] {
  return Array.isArray(value);
}
