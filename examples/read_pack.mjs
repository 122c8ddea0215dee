// Opens a coded pack, plain or zipped, and looks up one cell; in Node 20 or newer, and in browsers:
// node examples/read_pack.mjs pack.json ja 文本编号1 A

const SCHEMA = 1;
// The code book, version 1: the first is number 1. A number never changes its meaning.
export const BOOK = new Map(
  `zh en ja de fr es ko zh-Hant ru pt it ar hi af am as az ba be bg bn bo br bs ca cs cy da el et eu
   fa fi fil fo gl gu ha haw he hr ht hu hy id is jv ka kk km kn la lb ln lo lt lv mg mi mk ml mn mr
   ms mt my ne nl nn no oc pa pl ps ro sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tr tt uk
   ur uz vi yi yo yue`
    .split(/\s+/)
    .map((language, index) => [index + 1, language]),
);

export class UnreadablePack extends Error {}
export class Missing extends Error {}

// From an ArrayBuffer or Uint8Array. A newer code book than ours can be given, as a Map by number.
export async function openPack(bytes, book = BOOK) {
  const found = parse(await unzipped(new Uint8Array(bytes)));
  if (found?.schema === undefined)
    throw new UnreadablePack("This is no coded pack: fetch the result with form=coded.");
  if (found.schema !== SCHEMA)
    throw new UnreadablePack(`The pack has schema ${found.schema}; this reader knows ${SCHEMA}.`);
  const unknown = Object.keys(found.data).filter((number) => !book.has(Number(number)));
  if (unknown.length)
    throw new UnreadablePack(
      `The pack has languages of code book ${found.codebook} that this reader does not know: ` +
        `${unknown}. GET /v1/codebook tells them.`,
    );
  return new Pack(found, book);
}

// Object.hasOwn and Map everywhere: a text id may be "__proto__" or "constructor".
class Pack {
  #texts;
  #missing;
  #versions;

  constructor({ complete, missing, versions = [], data }, book) {
    this.complete = complete;
    const named = (number) => book.get(Number(number));
    this.#texts = new Map(Object.entries(data).map(([number, texts]) => [named(number), texts]));
    this.#missing = new Set(missing.map(([number, ...cell]) => place(named(number), ...cell)));
    this.#versions = new Map(
      versions.map(([number, id, source, n]) => [place(named(number), id, source), n]),
    );
  }

  // By number, not as in the task: JavaScript sorts keys that look like numbers.
  get languages() {
    return [...this.#texts.keys()];
  }

  // undefined for what nobody asked for; throws Missing for what failed or was cancelled.
  text(language, textId, source = "A") {
    if (this.isMissing(language, textId, source))
      throw new Missing(`${language}/${textId}/${source} was never made.`);
    return own(own(this.#texts.get(language), textId), source);
  }

  isMissing(language, textId, source = "A") {
    return this.#missing.has(place(language, textId, source));
  }

  // Above 0 where somebody corrected the text, or the words that it was made from.
  version(language, textId, source = "A") {
    return this.#versions.get(place(language, textId, source)) ?? 0;
  }
}

const place = (...cell) => JSON.stringify(cell);
const own = (object, key) => (object && Object.hasOwn(object, key) ? object[key] : undefined);

async function unzipped(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer().catch(() => new Uint8Array());
}

function parse(bytes) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

if (globalThis.process?.argv?.[1]?.endsWith("read_pack.mjs")) {
  const { readFile } = await import("node:fs/promises");
  const [file, ...cell] = process.argv.slice(2);
  const pack = await openPack(await readFile(file));
  const found = cell.length ? pack.text(...cell) : pack.languages.join(" ");
  if (found === undefined) throw new Error("Nobody asked for this cell.");
  console.log(found);
}
