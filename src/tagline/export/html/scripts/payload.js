"use strict";
// Reads a model from the payload; `tagline.export.html.payload` describes the format.

/** Decodes valid UTF-8; `TextDecoder` is part of browsers and missing in the engine that verifies the export. */
function decodeUtf8(bytes) {
  const parts = [];
  let units = [];
  for (let i = 0; i < bytes.length; ) {
    const byte = bytes[i];
    const more = byte < 0x80 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    let point = more === 0 ? byte : byte & (0x3f >> more);
    for (let k = 1; k <= more; k++) point = (point << 6) | (bytes[i + k] & 0x3f);
    i += more + 1;
    if (point < 0x10000) units.push(point);
    else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
    if (units.length > 8192) {
      parts.push(String.fromCharCode.apply(null, units));
      units = [];
    }
  }
  parts.push(String.fromCharCode.apply(null, units));
  return parts.join("");
}

/** Reads integers from byte planes, lowest bytes first, which compress better. */
function joinPlanes(bytes, width) {
  const n = bytes.length / width;
  const numbers = new Int32Array(n);
  for (let plane = 0; plane < width; plane++) {
    for (let i = 0; i < n; i++) numbers[i] |= bytes[plane * n + i] << (8 * plane);
  }
  return numbers;
}

/** Reads the uncompressed payload: the length of the header in four bytes, the header as JSON, the parts. */
function openModel(bytes) {
  const headerEnd = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(decodeUtf8(bytes.subarray(4, headerEnd)));
  const { kind } = header.calibration;
  if (!Object.hasOwn(CALIBRATIONS, kind)) throw new Error(`The page has no calibration method ${kind}.`);
  const part = (name) => bytes.subarray(headerEnd + header.parts[name][0], headerEnd + header.parts[name][1]);
  const numbers = (name) => joinPlanes(part(name), header.parts[name][2]);
  const blocks = header.blocks.map((about, b) => openBlock(about, b, { part, numbers, header }));
  const characters = openCharacters(header.characters, header.tokenizer);
  return { ...header, blocks, characters, novelty: openNovelty(header, numbers) };
}

function openBlock(about, b, { part, numbers, header }) {
  const symbols =
    about.of === "words"
      ? decodeUtf8(part(`${b}.symbols`)).split("\n").slice(0, -1)
      : Array.from(numbers(`${b}.symbols`), (point) => String.fromCodePoint(point));
  const orders = about.orders.map((order) => openOrder(numbers(`${b}.${order}.followers`), numbers(`${b}.${order}.last`)));
  const index = new Map();
  symbols.forEach((symbol, i) => index.set(symbol, i));

  const sizes = [symbols.length, ...orders.map(({ last }) => last.length)];
  const offsets = [];
  let columns = 0;
  sizes.forEach((size, i) => {
    offsets.push(i + 1 < about.shortest ? -1 : columns);
    if (i + 1 >= about.shortest) columns += size;
  });

  const scales = header.unit ? numbers(`${b}.scale`) : null;
  const weights = header.intercept.map((_, output) => signed(numbers(`${b}.weight.${output}`), header.bits));
  return {
    of: about.of,
    symbols,
    index,
    orders,
    offsets,
    tally: new Int32Array(columns),
    scale: (column) => scales[column] * scales[column] * about.scaleStep,
    weight: (column, output) => {
      const level = weights[output][column];
      return level * Math.abs(level) * about.weightSteps[output];
    },
  };
}

/** Subtracts half the range, which was added so that small levels of both signs have equal high bytes. */
function signed(levels, bits) {
  for (let i = 0; i < levels.length; i++) levels[i] -= 1 << (bits - 1);
  return bits === 8 ? Int8Array.from(levels) : Int16Array.from(levels);
}
