/** A file that the service serves to browsers, with its response headers. */
export interface Asset {
  body: Buffer | string;
  contentType: string;
  headers: Record<string, string>;
}

/** Headers of every asset: no guessing of types, no address in a Referer, no frame around a page. */
export const COMMON_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
};

export const HTML = 'text/html; charset=utf-8';
export const SCRIPT = 'text/javascript; charset=utf-8';
export const STYLE = 'text/css; charset=utf-8';
export const IMAGE = 'image/svg+xml';
