/** A URL as messages show it: without user information, query and fragment, where secrets stand. Never throws. */
export function shownUrl(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname}`;
  } catch {
    return 'a URL that cannot be read';
  }
}
