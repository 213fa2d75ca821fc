// Texts: places in them, and links to them.

/** Returns what turns a place in code points, as Python counts, into one in UTF-16 units. */
function placesIn(text) {
  if (!/[\ud800-\udbff][\udc00-\udfff]/.test(text)) return (place) => Math.min(place, text.length);
  const units = [];
  let at = 0;
  for (const character of text) {
    units.push(at);
    at += character.length;
  }
  units.push(at);
  return (place) => units[Math.min(place, units.length - 1)];
}

function linkTo(text, model) {
  const address = new URL(location.href);
  const whole = text.replace(/\p{Cs}/gu, "\ufffd"); // half a pair cannot be encoded
  address.hash = `text=${encodeURIComponent(whole)}${model === null ? "" : `&model=${encodeURIComponent(model)}`}`;
  return address.href;
}

/** Returns the text and the model in the fragment, `{text, model}`; either may be null. */
function linked() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  return { text: parameters.get("text"), model: parameters.get("model") };
}

/** Reads CSV, without holding the file in memory: `take` gets each record, and the line on which it starts. */
async function readRecords(blob, separator, take) {
  let [field, record, quoted, quoteBefore] = ["", [], false, false];
  let [line, start] = [1, 1];
  const endField = () => {
    record.push(field);
    field = "";
  };
  const endRecord = () => {
    endField();
    if (record.length > 1 || record[0] !== "") take(record, start);
    record = [];
    start = line;
  };
  const add = (text) => {
    for (const character of text) {
      if (character === "\n") line++;
      if (quoted && character === '"') {
        quoted = false;
        quoteBefore = true;
        continue;
      }
      if (character === '"' && (quoteBefore || field === "")) {
        if (quoteBefore) field += '"';
        quoted = true;
      } else if (quoted) field += character;
      else if (character === separator) endField();
      else if (character === "\n") endRecord();
      else if (character !== "\r") field += character;
      quoteBefore = false;
    }
  };
  for (const reader = blob.stream().pipeThrough(new TextDecoderStream()).getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    add(value);
  }
  if (field !== "" || record.length) endRecord();
}
