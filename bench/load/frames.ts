const FIN_TEXT = 0x81;
const FIN_PONG = 0x8a;
const FIN_CLOSE = 0x88;
const MASKED = 0x80;

/** A masked text frame. The masking key is zero; servers unmask it like any other key. */
export function textFrameOf(text: string): Buffer {
  return frameOf(FIN_TEXT, Buffer.from(text));
}

export function pongFrameOf(payload: Buffer): Buffer {
  return frameOf(FIN_PONG, payload);
}

/** @param code the close code, such as 1000. */
export function closeFrameOf(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return frameOf(FIN_CLOSE, payload);
}

function frameOf(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = Buffer.alloc(2 + extra + 4 + length);
  frame[0] = first;
  frame[1] = MASKED | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra === 2) frame.writeUInt16BE(length, 2);
  if (extra === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  payload.copy(frame, 2 + extra + 4);
  return frame;
}

/** Receives the frames of a server. `bytes` is valid only during the call. */
export interface FrameSink {
  onFrame(first: number, bytes: Buffer, start: number, stop: number): void;
}

/** Passes each complete frame in `bytes` up to `end` to the sink, and parses only the lengths. Returns the bytes consumed. */
export function readFrames(bytes: Buffer, end: number, sink: FrameSink): number {
  let at = 0;
  while (end - at >= 2) {
    let length = bytes[at + 1]! & 0x7f;
    let start = at + 2;
    if (length === 126) {
      if (end - at < 4) break;
      length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
      start = at + 4;
    } else if (length === 127) {
      if (end - at < 10) break;
      length = Number(bytes.readBigUInt64BE(at + 2));
      start = at + 10;
    }
    const stop = start + length;
    if (stop > end) break;
    sink.onFrame(bytes[at]!, bytes, start, stop);
    at = stop;
  }
  return at;
}
