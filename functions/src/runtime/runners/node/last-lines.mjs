const KEPT = 5;
/** A line longer than this is passed on in pieces. */
const MAX_LINE = 16 * 1024;

/** Passes what a command says on stderr on as ours, each line with the mark; resolves with the last lines. */
export async function lastLines(stream, mark) {
  const last = [];
  const pass = (line) => {
    process.stderr.write(`${mark}${line}\n`);
    if (line.trim() === '') return;
    last.push(line.slice(0, 300));
    if (last.length > KEPT) last.shift();
  };
  let rest = '';
  try {
    for await (const chunk of stream.setEncoding('utf8')) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      lines.forEach(pass);
      if (rest.length > MAX_LINE) {
        pass(rest);
        rest = '';
      }
    }
  } catch {
    // It was ended; what it said until then counts.
  }
  if (rest !== '') pass(rest);
  return last;
}
