import { expect, test } from '@jest/globals';
import { Subject } from 'rxjs';
import { ChatApp } from '../../examples/existing-rx-app/app.js';
import { collected } from '../../examples/existing-rx-app/collected.js';
import { MemoryKafka, memoryFileSystem } from '../../src/testing/index.js';
import { inVirtualTime } from '../support/virtual-time.js';

test('an application that was here before shows what comes, and what it has not muted is stored', () =>
  inVirtualTime((at) => {
    const app = new ChatApp();
    const kafka = new MemoryKafka();
    kafka.createTopic('chat');
    const files = memoryFileSystem();
    const stop$ = new Subject<void>();
    const shown: string[] = [];
    app.counts$.subscribe((counts) => shown.push(String([...counts])));
    let ended = '';
    collected(app, kafka, files, stop$).subscribe({ complete: () => (ended = 'complete') });
    const say = (...rooms: string[]) =>
      kafka.produce(
        'chat',
        0,
        rooms.map((room, n) => JSON.stringify({ room, text: `t${n}` })),
      );
    at(10, () => say('tea', 'work', 'tea'));
    at(500, () => {
      app.mute('work');
      say('work', 'tea');
    });
    at(1_000, () => stop$.next());
    at(5_000, () => {
      expect(ended).toBe('complete');
      expect([shown[0], shown.at(-1)]).toEqual(['tea,1', 'tea,3']);
      const stored = Object.keys(files.files()).filter((path) => !path.includes('_rxflume'));
      expect(stored.map((path) => path.split('/')[2]).sort()).toEqual(['room=tea', 'room=work']);
      expect(stored.flatMap((path) => files.text(path).trim().split('\n')).length).toBe(4);
      expect(kafka.committed('chat-app', 'chat', 0)).toBe(5);
    });
  }));
