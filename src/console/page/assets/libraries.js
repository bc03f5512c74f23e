// The libraries that the page is made of, with their types: the files are copied from packages and have none.

// @ts-expect-error copied by the build
import * as preact from './vendor/preact.js';

/** @type {typeof import('htm/preact')} */
const { html, render, useEffect, useLayoutEffect, useMemo, useRef, useState } = preact;

export { html, render, useEffect, useLayoutEffect, useMemo, useRef, useState };

/** @typedef {import('preact').VNode | string | null | undefined | false} View */

/** Loaded when a chart is first drawn. */
export async function loadUPlot() {
  // @ts-expect-error copied by the build
  const { default: uPlot } = await import('./vendor/uplot.js');
  return /** @type {typeof import('uplot')} */ (uPlot);
}

/** Loaded when a graph is first drawn. */
export async function loadDagre() {
  // @ts-expect-error copied by the build
  const dagre = await import('./vendor/dagre.js');
  return /** @type {typeof import('@dagrejs/dagre')} */ (dagre);
}
