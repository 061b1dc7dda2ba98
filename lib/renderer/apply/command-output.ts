import { closeSync, fstatSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { access, constants, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { withinDeadline } from '../../file-system.ts';

/**
 * Where a command writes its output: an unlinked file, not a pipe. A reload may start a daemon that inherits the output, and a
 * pipe would stay open as long as that daemon runs.
 */
export interface CommandOutput {
  readonly descriptor: number;
  /** The last 8 KiB so far. */
  read(): string;
  close(): void;
}

const keptBytes = 8_192;

/** `file`: the output may go beside it where no temporary folder can be written. */
export async function openOutput(file: string | undefined): Promise<CommandOutput> {
  const beside = async () => (file === undefined ? undefined : firstWritable(await findBeside(file)));
  // Otherwise the command still runs, and its output is lost.
  return openTemporary() ?? (await beside()) ?? lostOutput();
}

/** undefined where no temporary folder takes a file with content. */
export function openTemporary(): CommandOutput | undefined {
  return firstWritable(['/dev/shm', tmpdir()]);
}

/** Whether an output that is open takes content: a full disk would make the command itself fail. Empties it. */
export function hasRoom({ descriptor }: Pick<CommandOutput, 'descriptor'>): boolean {
  try {
    writeSync(descriptor, Buffer.alloc(keptBytes), 0, keptBytes, 0);
    ftruncateSync(descriptor, 0);
    return true;
  } catch {
    return false;
  }
}

/** The folders of a file and of the file that it links to, where their file system answers. */
async function findBeside(file: string): Promise<readonly string[]> {
  const folders = [dirname(file), dirname(await withinDeadline(file, () => realpath(file)).catch(() => file))];
  const answers = folders.map((folder) =>
    withinDeadline(folder, () => access(folder, constants.W_OK)).then(
      () => [folder],
      () => [],
    ),
  );
  return (await Promise.all(answers)).flat();
}

/** Synchronous: these few calls take microseconds, and each asynchronous call would wait for a thread during a failover. */
function firstWritable(folders: readonly string[]): CommandOutput | undefined {
  for (const folder of folders) {
    const path = join(folder, `.switchmaster-output-${process.pid}-${Math.random().toString(36).slice(2)}`);
    let output: CommandOutput | undefined;
    try {
      output = outputOf(openSync(path, 'wx+', 0o600));
      unlinkSync(path);
      if (hasRoom(output)) return output;
    } catch {
      // The next folder may take it.
    }
    output?.close();
  }
  return undefined;
}

function outputOf(descriptor: number): CommandOutput {
  return {
    descriptor,
    read() {
      const { size } = fstatSync(descriptor);
      const buffer = Buffer.alloc(Math.min(size, keptBytes));
      readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
      return buffer.toString().trim();
    },
    close: () => closeSync(descriptor),
  };
}

function lostOutput(): CommandOutput {
  return { ...outputOf(openSync('/dev/null', 'w')), read: () => '' };
}
