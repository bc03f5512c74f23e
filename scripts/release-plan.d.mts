export type Action = 'help' | 'publish' | 'dry-run' | 'usage';

export interface State {
  readonly action: Action;
  readonly manifest: {
    readonly version: string;
    readonly license?: string;
    readonly repository?: unknown;
    readonly private?: boolean;
  };
  readonly lock: { readonly version: string };
  readonly changelog: string;
  /** Of `git status --porcelain`. */
  readonly status: string;
  readonly tags: readonly string[];
}

export const HELP: string;
export function actionOf(options: readonly string[]): Action;
export function notesOf(changelog: string, heading: string): string | undefined;
export function problemsOf(state: State): string[];
export function publishArguments(action: Action, version: string, tarball: string): string[];
