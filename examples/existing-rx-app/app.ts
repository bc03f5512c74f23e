import {
  BehaviorSubject,
  combineLatest,
  distinctUntilChanged,
  map,
  type Observable,
  Subject,
  scan,
  throttleTime,
} from 'rxjs';

/** A message as the application knows it. */
export interface ChatMessage {
  readonly room: string;
  readonly text: string;
}

/**
 * An application that was here before: rooms, a muted list, a count for its screen, all with Subjects and operators of
 * RxJS. It knows nothing of deliveries.
 */
export class ChatApp {
  readonly #messages$ = new Subject<ChatMessage>();
  readonly #muted$ = new BehaviorSubject<ReadonlySet<string>>(new Set());

  /** What the screen shows: how many messages each room has had, at most ten times a second. */
  readonly counts$: Observable<ReadonlyMap<string, number>> = combineLatest([
    this.#messages$.pipe(
      scan((counts, { room }) => new Map(counts).set(room, (counts.get(room) ?? 0) + 1), new Map<string, number>()),
    ),
    this.#muted$,
  ]).pipe(
    map(([counts, muted]) => new Map([...counts].filter(([room]) => !muted.has(room)))),
    distinctUntilChanged((a, b) => String([...a]) === String([...b])),
    throttleTime(100, undefined, { leading: true, trailing: true }),
  );

  receive(message: ChatMessage): void {
    this.#messages$.next(message);
  }

  mute(room: string): void {
    this.#muted$.next(new Set([...this.#muted$.value, room]));
  }

  isMuted(room: string): boolean {
    return this.#muted$.value.has(room);
  }
}
