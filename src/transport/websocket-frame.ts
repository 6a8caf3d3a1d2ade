const FIN_TEXT = 0x81;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** Length in bytes of the header of an unmasked server frame with `length` bytes of content (RFC 6455, section 5.2). */
export function headerLength(length: number): number {
  return length < LENGTH_16 ? 2 : length < 65_536 ? 4 : 10;
}

/** Writes the header of one unfragmented text frame and returns the offset of its content. */
export function writeHeader(into: Buffer, offset: number, length: number): number {
  into[offset] = FIN_TEXT;
  const end = offset + headerLength(length);
  if (length < LENGTH_16) into[offset + 1] = length;
  else if (length < 65_536) {
    into[offset + 1] = LENGTH_16;
    into.writeUInt16BE(length, offset + 2);
  } else {
    into[offset + 1] = LENGTH_64;
    into.writeBigUInt64BE(BigInt(length), offset + 2);
  }
  return end;
}

/** Encodes `text` as one unfragmented text frame. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(headerLength(length) + length);
  frame.write(text, writeHeader(frame, 0, length));
  return frame;
}
