/** What a terminal shows of the flows. */
export interface TopState {
  readonly view: 'flows' | 'streams';
  /** The column that rows are sorted by. */
  readonly sort: number;
  readonly isReversed: boolean;
  readonly filter: string;
  /** Keys are letters of the filter now. */
  readonly isTyping: boolean;
  /** The first row that is shown. */
  readonly scroll: number;
}

export const TOP_START: TopState = {
  view: 'flows',
  sort: 0,
  isReversed: false,
  filter: '',
  isTyping: false,
  scroll: 0,
};

const COLUMNS = 10;
const MAX_FILTER_LENGTH = 100;

/** How far each key scrolls, in rows and pages. */
const SCROLL: Readonly<Record<string, readonly [rows: number, pages: number]>> = {
  '\u001b[A': [-1, 0],
  k: [-1, 0],
  '\u001b[B': [1, 0],
  j: [1, 0],
  '\u001b[5~': [0, -1],
  '\u001b[6~': [0, 1],
  ' ': [0, 1],
};

/** The state after a key; `quit` where it ends the command. Keys that mean nothing change nothing. */
export function afterKey(state: TopState, key: string, page: number): TopState | 'quit' {
  if (key === '\u0003' || key === '\u0004') return 'quit';
  if (state.isTyping) return afterLetter(state, key);
  const scroll = SCROLL[key];
  if (scroll !== undefined) return { ...state, scroll: Math.max(0, state.scroll + scroll[0] + scroll[1] * page) };
  switch (key) {
    case 'q':
      return 'quit';
    case 's':
      return { ...state, sort: (state.sort + 1) % COLUMNS, scroll: 0 };
    case 'S':
      return { ...state, sort: (state.sort + COLUMNS - 1) % COLUMNS, scroll: 0 };
    case 'r':
      return { ...state, isReversed: !state.isReversed, scroll: 0 };
    case 't':
      return { ...state, view: state.view === 'flows' ? 'streams' : 'flows', sort: 0, scroll: 0 };
    case '/':
      return { ...state, isTyping: true };
    case '\u001b':
      return { ...state, filter: '', scroll: 0 };
    default:
      return state;
  }
}

function afterLetter(state: TopState, key: string): TopState {
  if (key === '\r' || key === '\n') return { ...state, isTyping: false };
  if (key === '\u001b') return { ...state, isTyping: false, filter: '', scroll: 0 };
  if (key === '\u007f' || key === '\b') return { ...state, filter: [...state.filter].slice(0, -1).join(''), scroll: 0 };
  const letters = key.replace(/\p{Cc}/gu, '');
  if (letters === '' || key.startsWith('\u001b')) return state;
  return { ...state, filter: (state.filter + letters).slice(0, MAX_FILTER_LENGTH), scroll: 0 };
}
