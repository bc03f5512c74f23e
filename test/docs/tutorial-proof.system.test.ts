import { expect, it } from '@jest/globals';
import ts from 'typescript';
import * as operators from '../../operators/index.js';
import * as rxflume from '../../src/index.js';
import * as testing from '../../src/testing/index.js';
import { codeBlocks } from './markdown.js';

const page = 'docs/tutorial/exactly-once.md';

/** Runs the page's proof, as it is or changed. */
function prove(change: (code: string) => string = (code) => code): void {
  const block = codeBlocks(page).find(({ code }) => code.includes('proveExactlyOnce('));
  const compiled = ts.transpile(change(block?.code ?? ''), {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
  });
  const code = compiled.replace(/^import (\{.*\}) from ('.*');$/gm, 'const $1 = modules[$2];');
  const modules = {
    rxflume,
    'rxflume/operators': operators,
    'rxflume/testing': testing,
    '@jest/globals': { test: (_: string, run: () => void) => run() },
  };
  new Function('modules', code)(modules);
}

it('the proof of the page holds', () => {
  prove((code) => code.replace('schedules: 200', 'schedules: 5'));
}, 60_000);

it('the proof of the page fails without `resumeFrom`, and shows the duplicate', () => {
  const without = (code: string) => code.replace(' resumeFrom: lake.offsetStore,', '');
  expect(() => prove(without)).toThrow(/stored twice/);
}, 60_000);
