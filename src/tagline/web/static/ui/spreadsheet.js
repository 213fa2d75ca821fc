// CSV cells that a spreadsheet would take for formulas, by the rules of `data/formats/delimited/escaped_formulas.py`.

const FORMULA = /^[=+\-@\t\r\n\0＝＋－＠]/;
const PLAIN_NUMBER = /^[+-][.,]?[0-9][0-9.,]*([eE][+-]?[0-9]+)?%?$/;

/** Escapes CSV that comes in parts, as tagline writes it: `add` gives the cells that a part completes. */
function formulaEscaper(separator) {
  const cells = new RegExp(`("[^"]*(?:""[^"]*)*"|[^"${separator}\n]*)[${separator}\n]`, "gy");
  const escaped = (whole, cell) => {
    const quote = cell.startsWith('"') ? '"' : "";
    const text = quote ? cell.slice(1, -1) : cell;
    return FORMULA.test(text) && !PLAIN_NUMBER.test(text) ? `${quote}'${whole.slice(quote.length)}` : whole;
  };
  let rest = "";
  return {
    add(part) {
      const text = rest + part;
      let end = 0;
      let complete = "";
      for (const [whole, cell] of text.matchAll(cells)) {
        complete += escaped(whole, cell);
        end += whole.length;
      }
      rest = text.slice(end);
      return complete;
    },
  };
}

/** Gives a CSV file of tagline's with an apostrophe in front of cells that begin as a formula does. */
async function escapeFormulas(file, separator) {
  const escaper = formulaEscaper(separator);
  const [first] = new Uint8Array(await file.slice(0, 1).arrayBuffer());
  const parts = [first === 0xef ? "\ufeff" : ""]; // the decoder removes the mark
  for (const reader = file.stream().pipeThrough(new TextDecoderStream()).getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts, { type: file.type });
    parts.push(escaper.add(value));
  }
}
