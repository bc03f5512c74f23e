import type { Observable, Subscription } from 'rxjs';

/** Listens, has it used, and ends it, whatever came of that. `isComplete`: whether the server has said that it is over. */
export async function listened<L>(
  listening$: Observable<L>,
  use: (listening: L, isComplete: () => boolean) => Promise<void>,
): Promise<void> {
  let life: Subscription | undefined;
  let isComplete = false;
  const listening = await new Promise<L>((resolve, reject) => {
    const complete = () => {
      isComplete = true;
    };
    life = listening$.subscribe({ next: resolve, error: reject, complete });
  });
  try {
    await use(listening, () => isComplete);
  } finally {
    life?.unsubscribe();
  }
}
