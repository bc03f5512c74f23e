import { describe, expect, it } from '@jest/globals';
import { lastValueFrom, toArray } from 'rxjs';
import { FencedError } from '../../../../src/core/errors.js';
import { Monitor } from '../../../../src/core/monitor.js';
import type { LedgerEntry } from '../../../../src/sinks/files/ledger/entry.js';
import { publish } from '../../../../src/sinks/files/ledger/publish.js';
import { Quarantine } from '../../../../src/sinks/files/ledger/quarantine.js';
import { recover } from '../../../../src/sinks/files/ledger/recovery.js';
import { LEDGER_RULES } from '../../../../src/sinks/files/ledger/rules.js';
import { LedgerStore } from '../../../../src/sinks/files/ledger/store.js';
import { ledgerPath, temporaryPath } from '../../../../src/sinks/files/names.js';
import { FakeCluster } from '../../../drivers/webhdfs/fake-cluster.js';
import { driver, failure, put } from '../../../drivers/webhdfs/setting.js';

const STREAM = 'kafka:chat/0';
const FINAL = 'dt=1/kafka+chat~0+0000000000000000+0000000000000004+us-1.jsonl';
const TEMPORARY = temporaryPath('/lake', STREAM, 0, 'us-1', 0);
const entry: LedgerEntry = {
  writer: 'us-1',
  stream: STREAM,
  from: 0,
  next: 5,
  files: [{ temporary: TEMPORARY.slice(6), final: FINAL, bytes: 4, values: 5, first: 0, last: 4 }],
};
const publication = { temporary: TEMPORARY, final: `/lake/${FINAL}`, bytes: 4, values: 5, first: 0, last: 4 };
const nothing = () => undefined;

async function setting(mode: 'webhdfs' | 'httpfs', nameNodes = 1) {
  const cluster = await FakeCluster.start({ nameNodes });
  cluster.folders.add('/lake');
  const store = new LedgerStore(driver(cluster, { mode }), '/lake', LEDGER_RULES);
  await put(store.fs, TEMPORARY, '"a"\n');
  const commit = (one: LedgerEntry) => lastValueFrom(store.commit(one, nothing));
  const published = () =>
    lastValueFrom(
      publish(store.fs, [publication], new Quarantine(store.fs, '/lake', STREAM, new Monitor())).pipe(toArray()),
    );
  const recovered = () => lastValueFrom(recover(store, STREAM, new Monitor()));
  return { cluster, store, commit, published, recovered };
}

describe.each(['webhdfs', 'httpfs'] as const)('a ledger through %s', (mode) => {
  it('takes one entry for each offset, and rejects the second', async () => {
    const { cluster, commit } = await setting(mode);
    expect(await commit(entry)).toEqual([0]);
    const second = await failure(commit({ ...entry, writer: 'others-1', next: 9 }));
    expect(second).toBeInstanceOf(FencedError);
    expect(second.message).toContain('writer us-1 has committed from there');
    expect(JSON.parse(String(cluster.files.get(ledgerPath('/lake', STREAM, 0))))).toMatchObject({ next: 5 });
  });

  it('knows its own entry when the answer to the commit was lost', async () => {
    const { cluster, commit } = await setting(mode);
    cluster.next('RENAME', 'lose');
    expect(await commit(entry)).toEqual([0]);
  });

  it('is not taken in by a rename that was answered as done while its file had been removed', async () => {
    const { cluster, commit } = await setting(mode);
    // Another's entry stands, and our temporary files were cleaned away: gone source, existing target.
    await commit({ ...entry, writer: 'others-1' });
    cluster.next('RENAME', mode === 'webhdfs' ? { status: 200 } : { status: 200, body: '{"boolean":true}' });
    expect(await failure(commit(entry))).toBeInstanceOf(FencedError);
  });

  it.each([0, 1, 2, 3, 4, 5, 6])(
    'has one entry, and publishes what it names, where a commit without an answer is carried out after %i looks',
    async (doneAfterLooks) => {
      const { cluster, store, commit, recovered } = await setting(mode);
      cluster.next('RENAME', { doneAfterLooks }, { doneAfterLooks }, { doneAfterLooks });
      const impatient = new LedgerStore(
        driver(cluster, { mode, retry: { maxAttempts: 1, firstDelayMs: 1 } }),
        '/lake',
        LEDGER_RULES,
      );
      const came = await lastValueFrom(impatient.commit(entry, nothing)).catch((error: unknown) => error);
      // Not known, or known rightly: the next writer begins where the ledger says then, and one of the two commits stands.
      const next = await recovered();
      if (Array.isArray(came)) expect(next).toBe(5);
      const other = { ...entry, writer: 'others-1', from: next ?? 0, next: 9, files: [] };
      const second = await commit(other).catch((error: unknown) => error);
      for (let look = 0; look < 8; look += 1) await lastValueFrom(store.fs.status('/lake') as never);
      const [last] = [...(await lastValueFrom(store.list(STREAM)))].reverse();
      const newest = await lastValueFrom(store.read(STREAM, last as number));
      if (second instanceof FencedError) expect([newest?.writer, next]).toEqual(['us-1', undefined]);
      else expect(newest).toMatchObject({ writer: 'others-1', from: next ?? 0, next: 9 });
      expect(Array.isArray(second) || second instanceof FencedError).toBe(true);
      // What is visible is what an entry that stands names.
      const existing = await lastValueFrom(store.read(STREAM, 0));
      expect(await recovered()).toBe(newest?.next);
      expect(cluster.files.has(`/lake/${FINAL}`)).toBe(existing?.writer === 'us-1');
    },
  );

  it('is stale where later entries exist', async () => {
    const { commit } = await setting(mode);
    await commit({ ...entry, from: 7, next: 9, files: [] });
    const late = await failure(commit(entry));
    expect(late).toBeInstanceOf(FencedError);
    expect(late.message).toContain('others have committed after it');
  });

  it('is published by the writer that resumes, as often as it is tried', async () => {
    const { cluster, commit, published, recovered } = await setting(mode);
    await commit(entry);
    cluster.next('RENAME', 'lose');
    expect(await recovered()).toBe(5);
    expect(await published()).toEqual([{ file: publication, came: 'published' }]);
    expect(await recovered()).toBe(5);
    expect(String(cluster.files.get(`/lake/${FINAL}`))).toBe('"a"\n');
  });
});

describe('a NameNode that fails over between commit and publish', () => {
  it('is asked no more; the other one is', async () => {
    const { cluster, commit, published } = await setting('webhdfs', 2);
    await commit(entry);
    cluster.states.splice(0, 2, 'active', 'standby');
    cluster.next('RENAME', 'drop');
    expect(await published()).toEqual([{ file: publication, came: 'published' }]);
    expect([...cluster.files.keys()]).toContain(`/lake/${FINAL}`);
  });

  it('leaves an entry that the next assignment finishes, when it is away for longer', async () => {
    const { cluster, commit, published, recovered } = await setting('webhdfs', 2);
    await commit(entry);
    cluster.states.splice(0, 2, 'standby', 'standby');
    expect(await failure(published())).toMatchObject({ code: 'RXF_FILES_STANDBY', retryable: true });
    cluster.states.splice(0, 2, 'active', 'standby');
    expect(await recovered()).toBe(5);
    expect([...cluster.files.keys()]).toContain(`/lake/${FINAL}`);
  });
});
