import type { Duplex } from 'node:stream';

/** Hands on what the other side says, a line of JSON each. Resolves when it says no more; never rejects. */
export async function hearLines(stream: Duplex, take: (message: unknown) => void): Promise<void> {
  // Whoever ends before it has read what it is told breaks the pipe; how it ended is told elsewhere.
  stream.on('error', () => {});
  let text = '';
  try {
    for await (const chunk of stream.setEncoding('utf8')) {
      const lines = (text + String(chunk)).split('\n');
      text = lines.pop()!;
      for (const line of lines) take(JSON.parse(line));
    }
  } catch {
    // It ended in the middle of a word.
  }
}
