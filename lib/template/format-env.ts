import { steersPrograms } from './env-names.ts';
import { type FormatWriter, type Placeholder, refuse } from './format.ts';
import { wordWriter } from './format-words.ts';

/*
 * Files of KEY=value lines that a shell may read. Values are written as words. Besides, a value must not become a command, or
 * choose which variable is set: what precedes the first `=` of a line is a name.
 */

const nameReason = 'the name of a variable is a letter or _, then letters, digits and _; see the helper envName.';
const commandReason =
  'a shell would run it, or a part of it, as a command. Write KEY={{…}}, or put the whole value in quotes.';

export function envWriter(): FormatWriter {
  const words = wordWriter('env');
  const lines = new LineFollower();
  return {
    literal(text) {
      lines.read(text);
      words.literal(text);
    },
    value(placeholder) {
      const text = words.value(placeholder);
      lines.readValue(placeholder, text);
      return text;
    },
    finish(pieces) {
      lines.endLine();
      words.finish(pieces);
    },
  };
}

/** Follows one line, with the values in it. */
class LineFollower {
  #text = '';
  /** The first value before the first `=`. */
  #inName: Placeholder | undefined;

  read(text: string): void {
    for (const char of text) {
      if (char === '\n') this.endLine();
      else this.#readChar(char);
    }
  }

  readValue(placeholder: Placeholder, text: string): void {
    if (isComment(this.#text)) return;
    if (this.#text.includes('=')) {
      if (!isAssigned(this.#text)) refuse(placeholder, commandReason);
    } else {
      this.#inName ??= placeholder;
      if (/\W/.test(text)) refuse(placeholder, nameReason);
    }
    this.#text += text;
  }

  /** Throws `value-refused` for a line that a value began and that sets no variable: it would be the name of a program. */
  endLine(): void {
    if (this.#inName !== undefined) refuse(this.#inName, commandReason);
    this.#text = '';
  }

  #readChar(char: string): void {
    if (char === '=' && this.#inName !== undefined) {
      const name = this.#text.replace(/^\s*(?:export\s+)?/, '');
      if (!/^[A-Za-z_]\w*$/.test(name)) refuse(this.#inName, nameReason);
      if (steersPrograms(name)) {
        refuse(
          this.#inName,
          `the variable ${name} controls shells, loaders or runtimes. Write its name in the template.`,
        );
      }
      this.#inName = undefined;
    }
    this.#text += char;
  }
}

function isComment(line: string): boolean {
  return /^\s*#/.test(line);
}

/** Whether what follows this text belongs to the value of `NAME=`, for a shell as well. */
function isAssigned(line: string): boolean {
  const expanded = line.replace(/\\./g, '_').replace(/'[^']*(?:'|$)/g, '_');
  if (/`|\$\(/.test(expanded)) return false;
  const bare = expanded.replace(/"[^"]*(?:"|$)/g, '_');
  return !/[;&|()<>]/.test(bare) && /^\s*(?:export\s+(?:\w+=\S*\s+)*)?[A-Za-z_]\w*=\S*$/.test(bare);
}
