/**
 * Parquet's hybrid of runs and packed bits, for small integers:
 * https://parquet.apache.org/docs/file-format/data-pages/encodings/#run-length-encoding--bit-packing-hybrid-rle--3
 */

/** The shortest run that is worth its two bytes. Packed values come in groups of the same size. */
const GROUP = 8;

/** The number of bits that the codes of `count` values need. */
export function bitWidthOf(values: number): number {
  return values <= 1 ? 0 : 32 - Math.clz32(values - 1);
}

/** @param width in bits, 24 at most */
export function writeHybrid(codes: Int32Array, width: number): Uint8Array {
  const runBytes = (width + 7) >> 3;
  // Only the last run may be shorter than a group, so one header of up to 5 bytes per group is an upper bound.
  const bytes = new Uint8Array(codes.length * runBytes + 5 * (Math.ceil(codes.length / GROUP) + 2) + width);
  let size = 0;
  const varint = (value: number) => {
    for (; value > 0x7f; value >>>= 7) bytes[size++] = (value & 0x7f) | 0x80;
    bytes[size++] = value;
  };
  const packed = (start: number, end: number) => {
    const groups = Math.ceil((end - start) / GROUP);
    if (groups === 0) return;
    varint((groups << 1) | 1);
    let buffer = 0;
    let bits = 0;
    for (let index = start; index < start + groups * GROUP; index += 1) {
      buffer |= (index < codes.length ? codes[index]! : 0) << bits;
      for (bits += width; bits >= 8; bits -= 8) {
        bytes[size++] = buffer & 0xff;
        buffer >>>= 8;
      }
    }
  };

  let pending = 0; // index of the first value that is not written yet
  let index = 0;
  while (index < codes.length) {
    const code = codes[index]!;
    let end = index + 1;
    while (end < codes.length && codes[end] === code) end += 1;
    // Packed groups must be complete, so the run begins where the last one ends.
    const start = index + ((GROUP - ((index - pending) % GROUP)) % GROUP);
    if (end - start >= GROUP || (end === codes.length && start < end)) {
      packed(pending, start);
      varint((end - start) << 1);
      for (let byte = 0; byte < runBytes; byte += 1) bytes[size++] = (code >> (8 * byte)) & 0xff;
      pending = end;
    }
    index = end;
  }
  packed(pending, codes.length);
  return bytes.subarray(0, size);
}

/** One code, repeated `count` times. */
export function writeRun(code: number, count: number, width: number): Uint8Array {
  const bytes: number[] = [];
  let header = count * 2;
  for (; header > 0x7f; header = Math.floor(header / 0x80)) bytes.push((header % 0x80) | 0x80);
  bytes.push(header);
  for (let bit = 0; bit < width; bit += 8) bytes.push((code >> bit) & 0xff);
  return Uint8Array.from(bytes);
}

/**
 * Fills `codes`.
 * @param end greater than every code
 * @returns true if all codes are the same, because they are one run
 * @throws Error if there are fewer, or for a greater code
 */
export function readHybrid(bytes: Uint8Array, width: number, codes: Int32Array, end: number): boolean {
  if (width > 24) throw new Error(`${width} bits are too many`);
  // Whatever has so many bits is smaller.
  const isChecked = 2 ** width > end;
  let offset = 0;
  const next = (): number => {
    const byte = bytes[offset++];
    if (byte === undefined) throw new Error('it is cut off');
    return byte;
  };
  let seen = 0;
  while (seen < codes.length) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = next();
      header |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const count = header >>> 1;
    if (count === 0) throw new Error('an empty run');
    if ((header & 1) === 0) {
      let code = 0;
      for (let byte = 0; byte < width; byte += 8) code |= next() << byte;
      if (count > codes.length - seen) throw new Error('a run is too long');
      if (code >= end) throw new Error('a value is missing');
      if (count === codes.length) {
        if (code !== 0) codes.fill(code);
        return true;
      }
      codes.fill(code, seen, (seen += count));
    } else {
      const after = offset + count * width;
      const mask = 2 ** width - 1;
      let buffer = 0;
      let bits = 0;
      for (let left = Math.min(count * GROUP, codes.length - seen); left > 0; left -= 1) {
        for (; bits < width; bits += 8) buffer |= next() << bits;
        const code = buffer & mask;
        if (isChecked && code >= end) throw new Error('a value is missing');
        codes[seen++] = code;
        buffer >>>= width;
        bits -= width;
      }
      offset = after;
    }
  }
  return false;
}
