import type { LabelledText } from '../../src/text/index.js';

/** Twelve dishes, each praised and blamed, and, if asked for, described. */
export function reviews({ withNeutral = false } = {}): readonly LabelledText[] {
  const dishes = ['tea', 'coffee', 'cake', 'soup', 'bread', 'rice', 'fish', 'salad', 'pie', 'pasta', '米饭', '茶'];
  return dishes.flatMap((dish) => [
    { text: `good ${dish}, 很好`, labels: ['positive'] },
    { text: `bad ${dish}, 失望`, labels: ['negative'] },
    ...(withNeutral ? [{ text: `${dish} at noon`, labels: ['neutral'] }] : []),
  ]);
}

/** Questions about refunds, deliveries, both and neither. */
export function questions(): readonly LabelledText[] {
  return Array.from({ length: 12 }, (_, n) => `order ${String.fromCharCode(97 + n)}`).flatMap((order) => [
    { text: `money back for ${order}`, labels: ['refund'] },
    { text: `where is the parcel of ${order}`, labels: ['delivery'] },
    { text: `money back, parcel of ${order} is lost`, labels: ['delivery', 'refund'] },
    { text: `thanks for ${order}`, labels: [] },
  ]);
}

export const CARD = { source: 'made up', licence: 'CC0', date: '2026-11-28', limits: 'finance' };
