// Puts a brotli and a gzip form beside each file of the site, so that the function that serves it only copies bytes.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const site = new URL("../../functions/console/site/", import.meta.url);
const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

const names = await readdir(site, { recursive: true });
await Promise.all(
  names
    .filter((name) => /\.(js|css|html|svg|json|webmanifest)$/.test(name))
    .map(async (name) => {
      const body = await readFile(new URL(name, site));
      const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
      await writeFile(new URL(`${name}.br`, site), await brotli(body, quality));
      await writeFile(new URL(`${name}.gz`, site), await zip(body, { level: 9 }));
    }),
);
