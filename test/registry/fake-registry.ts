import { MemoryHttp } from '../../src/testing/memory/memory-http.js';

interface Posted {
  readonly schema: string;
  readonly schemaType?: string;
  readonly references?: readonly { readonly name: string; readonly subject: string; readonly version: number }[];
}

/** A schema registry in memory, in virtual time: what it answers where `http.answer` is not set by a test. */
export function fakeRegistry() {
  const http = new MemoryHttp();
  const schemas: Posted[] = [];
  const subjects = new Map<string, number[]>();
  const guidOf = (id: number) => `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`;
  const json = (status: number, body: object) => ({ status, body: JSON.stringify(body) });
  const unknown = (code: number) => json(404, { error_code: code, message: 'not there' });
  const add = (subject: string, posted: Posted): number => {
    const at = schemas.findIndex((one) => one.schema === posted.schema);
    const id = at >= 0 ? at + 1 : schemas.push(posted);
    const versions = subjects.get(subject) ?? [];
    subjects.set(subject, versions.includes(id) ? versions : [...versions, id]);
    return id;
  };
  const route = (method: string, path: string, body: string) => {
    const [, what, name = '', versions, version] = path.split('/').map(decodeURIComponent);
    const shown = (id: number | undefined) => (id === undefined ? undefined : schemas[id - 1]);
    if (what === 'schemas') {
      const id = name === 'ids' ? Number(versions) : schemas.findIndex((_, at) => guidOf(at + 1) === versions) + 1;
      const schema = shown(id);
      return schema === undefined ? unknown(40403) : json(200, schema);
    }
    const all = subjects.get(name) ?? [];
    if (method === 'GET') {
      const at = version === 'latest' ? all.length : Number(version);
      const schema = shown(all[at - 1]);
      return schema === undefined
        ? unknown(40401)
        : json(200, { subject: name, version: at, id: all[at - 1], ...schema });
    }
    const posted = JSON.parse(body) as Posted;
    if (versions === 'versions') {
      const id = add(name, posted);
      return json(200, { id, guid: guidOf(id) });
    }
    const found = all.findIndex((id) => shown(id)?.schema === posted.schema);
    return found < 0 ? unknown(40403) : json(200, { id: all[found], version: found + 1 });
  };
  const answer = ({ method, url, body }: { method: string; url: string; body: string }) =>
    route(method, new URL(url).pathname, body);
  http.answer = answer;
  const requests = () => http.seen.map(({ method, url }) => `${method} ${new URL(url).pathname}`);
  return { http, add, answer, requests, guidOf, schemas };
}

/** The bytes of a value behind its id. */
export function framed(id: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  return Buffer.concat([head, payload]);
}
