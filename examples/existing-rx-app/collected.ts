import * as t from 'io-ts';
import { fileSink, json, jsonLines, kafkaSource, type Receipt } from 'rxflume';
import { decode, drainOn, filterValue, retryConnect } from 'rxflume/operators';
import type { FileSystem, KafkaDriver } from 'rxflume/ports';
import { type Observable, tap } from 'rxjs';
import type { ChatApp, ChatMessage } from './app.js';

const Message = t.type({ room: t.string, text: t.string });

/**
 * The lines that plug Kafka and a lake into the application: what comes is shown to it, and what it has not muted is
 * stored. It runs while it is subscribed to, and drains when `stop$` emits.
 */
export function collected(
  app: ChatApp,
  kafka: KafkaDriver,
  files: FileSystem,
  stop$: Observable<unknown>,
): Observable<Receipt> {
  const lake = fileSink<ChatMessage>(files, {
    root: '/lake',
    path: (value) => `room=${value.room}`,
    format: jsonLines(),
  });
  const source$ = kafkaSource(kafka, { topics: ['chat'], groupId: 'chat-app', resumeFrom: lake.offsetStore });
  return source$.pipe(
    retryConnect(),
    drainOn(stop$),
    decode(json(Message)),
    tap(({ value }) => app.receive(value)), // only looks, so it is safe: the acker goes on
    filterValue(({ room }) => !app.isMuted(room)),
    lake.write(),
  );
}
