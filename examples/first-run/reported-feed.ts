import { fileURLToPath } from 'node:url';
import { defaultMonitor } from 'rxflume';
import { concat, NEVER, type Observable, of, tap } from 'rxjs';
import { TOPIC } from './chat-flow.js';
import { type FeedLogEvent, type FeedTarget, feed } from './feed.js';

/** The feed of the first run, with what a person should read, where to look first of all, told to the default monitor. */
export function reportedFeed(
  target: FeedTarget,
  whereToLook: string,
): Observable<Pick<FeedLogEvent, 'level' | 'message'>> {
  const look = { level: 'info', what: 'look', message: whereToLook } as const;
  const fed$ = feed(target, {
    file: fileURLToPath(new URL('../data/chat.jsonl', import.meta.url)),
    topic: TOPIC,
    httpPort: Number(process.env.FIRST_RUN_PORT ?? 8089),
    messagesPerSecond: Number(process.env.FIRST_RUN_RATE ?? 5),
    stop$: NEVER,
  });
  return concat(of(look), fed$).pipe(tap(({ level, what, message }) => defaultMonitor.logEvent(level, what, message)));
}
