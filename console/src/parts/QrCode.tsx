import { useMemo } from 'react';
import qrcode from 'qrcode-generator';

/** A text as a QR code: one path of an SVG, so that no image is loaded. Undefined when the text is too long for one. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const code = useMemo(() => drawCode(text), [text]);
  if (!code) return null;
  return (
    <svg className="qr" viewBox={`0 0 ${code.size} ${code.size}`} role="img" aria-label={label}>
      <rect width={code.size} height={code.size} fill="#fff" />
      <path d={code.path} fill="#000" />
    </svg>
  );
}

/** Light modules around the code, without which scanners do not find it. */
const QUIET = 4;

function drawCode(text: string): { path: string; size: number } | undefined {
  try {
    const code = qrcode(0, 'L');
    code.addData(text, 'Byte');
    code.make();
    const modules = code.getModuleCount();
    let path = '';
    for (let row = 0; row < modules; row++)
      for (let column = 0; column < modules; column++)
        if (code.isDark(row, column)) path += `M${column + QUIET} ${row + QUIET}h1v1h-1z`;
    return { path, size: modules + 2 * QUIET };
  } catch {
    // A QR code holds at most 2,953 bytes.
    return undefined;
  }
}
