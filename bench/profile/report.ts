import { round } from '../statistics.ts';
import { allocationByFunction, byPackage, cpuByFunction, type FunctionCost } from './functions.ts';
import type { ProcessUse, Recording } from './recording.ts';

/** The costs of a recording, for a program or for a terminal. */
export interface Costs {
  readonly process: ProcessUse;
  /** Milliseconds. */
  readonly cpu: CostTable;
  /** Bytes. */
  readonly allocation: CostTable;
}

interface CostTable {
  readonly packages: readonly (readonly [string, number])[];
  readonly functions: readonly FunctionCost[];
}

export function summarizeCosts({ cpu, heap, process }: Recording, most: number): Costs {
  return { process, cpu: table(cpuByFunction(cpu), most), allocation: table(allocationByFunction(heap.head), most) };
}

function table(functions: readonly FunctionCost[], most: number): CostTable {
  return { packages: byPackage(functions), functions: functions.slice(0, most) };
}

const mebibyte = 1024 * 1024;

/** Tables for a terminal. */
export function formatCosts({ process, cpu, allocation }: Costs): string {
  const { wallMs, cpuMs, rssBytes, delayMs } = process;
  return [
    `${seconds(wallMs)} recorded, ${round(cpuMs)} ms of CPU time (${percent(cpuMs, wallMs)} of one CPU), ${mebibytes(rssBytes)} resident`,
    `event loop late by ${round(delayMs.p50)} ms (p50), ${round(delayMs.p99)} ms (p99), ${round(delayMs.max)} ms (max)`,
    '',
    ...formatTable('CPU time', cpu, (ms) => `${ms.toFixed(1)} ms`),
    '',
    ...formatTable('allocated', allocation, (bytes) => `${(bytes / 1024).toFixed(0)} KiB`),
  ].join('\n');
}

function formatTable(title: string, { packages, functions }: CostTable, unit: (value: number) => string): string[] {
  const all = packages.reduce((sum, [, self]) => sum + self, 0);
  const cell = (value: number) => unit(value).padStart(12);
  return [
    `${title} by package (all: ${unit(all)})`,
    ...packages.slice(0, 12).map(([name, self]) => `${cell(self)}${percent(self, all).padStart(7)}  ${name}`),
    '',
    `${title} by function: self, self in %, with what it calls`,
    ...functions.map(({ name, file, self, total, package: at }) => {
      const place = at === 'v8' || file.startsWith(at) ? file : `${at} ${file}`;
      return `${cell(self)}${percent(self, all).padStart(7)}${cell(total)}  ${name}  ${place}`;
    }),
  ].map((line) => line.trimEnd());
}

function percent(part: number, all: number): string {
  return all === 0 ? '0%' : `${((100 * part) / all).toFixed(1)}%`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(0)} MiB`;
}
